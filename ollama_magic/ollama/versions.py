"""The features that servers of older versions lack (protocol.md §22)."""

from __future__ import annotations

import re

_NUMBER = re.compile(r"v?(\d{1,9})\.(\d{1,9})(?:\.(\d{1,9}))?(?![\d.])")
# The first version with a feature, and what older ones do instead; the newest first.
_LACKS = (
    ("0.30.0", "`list` has no badges and no context lengths of its own: each model is looked up with show."),
    ("0.21.1", "With thinking off, some families of models ignore `-f`."),
    ("0.18.0", "Cloud models cannot be used by their names alone: they have to be pulled first."),
    ("0.11.11", "Embeddings have their full length: their dimensions cannot be chosen."),
    ("0.11.5", "The rendered prompt cannot be shown."),
    ("0.11.0", "Thinking is on or off: `--think` has no levels such as low or high."),
    ("0.10.0", "The context window of a loaded model is not known, so its use cannot be counted."),
    ("0.9.0", "No `--think`: the thinking is part of the answer, between tags."),
    ("0.8.0", "Tool calls come only with an answer that is not streamed."),
    ("0.6.7", "The context window is 2,048 tokens unless `-o num_ctx=8192` or the like makes it larger."),
    ("0.6.4", "What a model can do is not known, so nothing is checked before a turn."),
    ("0.5.5", "`create` does not work: models are made from a Modelfile only."),
    ("0.5.0", "`-f` accepts json, but no schema."),
    ("0.3.11", "`stop` does not free a model's memory at once."),
    ("0.3.1", "The option min_p is ignored."),
    ("0.2.6", "No tools, `--suffix` is ignored, and `embed` asks for one text at a time."),
    ("0.1.45", "`show` has no model facts such as the trained context length."),
    ("0.1.38", "No `ps`: what is loaded is not known."),
    ("0.1.35", "Why an answer ended is not known, so one cut by num_predict looks complete."),
    ("0.1.23", "`keep_alive` is ignored."),
    ("0.1.14", "No `%%chat`: the server has no route for chats."),
)
# What a route does, and the first version that has it, if known.
ROUTES = {
    "/api/chat": ("chat", "0.1.14"),
    "/api/generate": ("complete a text", ""),
    "/api/embeddings": ("make embeddings", ""),
    "/api/show": ("describe a model", ""),
    "/api/tags": ("list models", ""),
    "/api/pull": ("download models", ""),
    "/api/create": ("create models", ""),
    "/api/copy": ("copy models", ""),
    "/api/delete": ("remove models", ""),
}


def lacking(version: str) -> tuple[str, ...]:
    """Return a plain sentence for each thing that a server of this version lacks, the newest first."""
    return tuple(sentence for since, sentence in _LACKS if older(version, since))


def older(version: str, than: str) -> bool:
    """Whether one version is older than another; an invalid version, or a development build, is not."""
    mine, other = _numbers(version), _numbers(than)
    return mine is not None and other is not None and any(mine) and mine < other


def _numbers(version: str) -> tuple[int, ...] | None:
    match = _NUMBER.match(version.strip())
    return tuple(int(part or 0) for part in match.groups()) if match else None
