"""What a server of some version lacks that this package uses (dossier §22). Numbers only; nobody is asked."""

from __future__ import annotations

import re

_NUMBER = re.compile(r"v?(\d{1,9})\.(\d{1,9})(?:\.(\d{1,9}))?(?![\d.])")
# Since which version, and what an older one does instead; the newest first.
_LACKS = (
    ("0.30.0", "`list` has no badges and no context lengths of its own: each model is asked for them with show."),
    ("0.21.1", "With thinking off, some families of models leave `-f` out of account."),
    ("0.18.0", "Cloud models are not called by their names alone: they have to be pulled first."),
    ("0.11.11", "Embeddings come in full length: their dimensions cannot be chosen."),
    ("0.11.5", "The prompt as the model gets it cannot be shown."),
    ("0.11.0", "Thinking is on or off: `--think` takes no levels such as low or high."),
    ("0.10.0", "The context window of a loaded model is not told, so its use cannot be counted."),
    ("0.9.0", "No `--think`: what a model thinks stands in its answer, between tags."),
    ("0.8.0", "Tool calls come only with an answer that is not streamed."),
    ("0.6.7", "The context window is 2,048 tokens unless `-o num_ctx=8192` or the like makes it larger."),
    ("0.6.4", "What a model can do is not told, so nothing is checked before a turn."),
    ("0.5.5", "`create` does not work: models are made from a Modelfile only."),
    ("0.5.0", "`-f` takes json, but no schema."),
    ("0.3.11", "`stop` does not free a model's memory at once."),
    ("0.3.1", "The option min_p is ignored."),
    ("0.2.6", "No tools, `--suffix` is ignored, and `embed` asks for one text at a time."),
    ("0.1.45", "`show` has no model facts such as the trained context length."),
    ("0.1.38", "No `ps`: what is loaded is not told."),
    ("0.1.35", "Why an answer ended is not told, so one cut by num_predict looks whole."),
    ("0.1.23", "`keep_alive` is ignored."),
    ("0.1.14", "No `%%chat`: the server has no route for chats."),
)
# What cannot be done where a route is missing, and since which version it is there, as far as that is known.
ROUTES = {
    "/api/chat": ("chat", "0.1.14"),
    "/api/generate": ("complete a text", ""),
    "/api/embeddings": ("make embeddings", ""),
    "/api/show": ("tell of a model", ""),
    "/api/tags": ("list models", ""),
    "/api/pull": ("fetch models", ""),
    "/api/create": ("make models", ""),
    "/api/copy": ("copy models", ""),
    "/api/delete": ("remove models", ""),
}


def lacking(version: str) -> tuple[str, ...]:
    """Return a plain sentence for each thing that a server of this version lacks, the newest first."""
    return tuple(sentence for since, sentence in _LACKS if older(version, since))


def older(version: str, than: str) -> bool:
    """Whether one version is older than another; a text that is no version, or a development build, is not."""
    mine, other = _numbers(version), _numbers(than)
    return mine is not None and other is not None and any(mine) and mine < other


def _numbers(version: str) -> tuple[int, ...] | None:
    match = _NUMBER.match(version.strip())
    return tuple(int(part or 0) for part in match.groups()) if match else None
