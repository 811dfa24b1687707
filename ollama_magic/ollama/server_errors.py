"""Error messages of servers: their text, their kind, and what helps."""

from __future__ import annotations

import json
import re

from ollama_magic.errors import ServerError, ServerErrorKind
from ollama_magic.foreign import one_line

_WORDS = ("error", "errors", "message", "detail", "Status", "title")  # errors: of a registry, in a list
_DEPTH = 6
_LESS = "a smaller model or -o num_ctx=2048 needs less"
# Ollama reports errors as text only, so this is the one place that reads it; the first matching row counts.
_COMPLAINTS: tuple[tuple[ServerErrorKind, str, str], ...] = (
    (
        "other",
        r"JSON schema (conversion|error|in format)",
        "the server can make nothing of this schema: simplify it, and let each `$ref` lead to a place within it",
    ),
    (
        "outdated",
        r"cannot unmarshal object .*\.format",
        "update Ollama on the server: 0.5.0 and newer take a schema; before that there is json alone",
    ),
    (
        "outdated",
        r"cannot unmarshal string .*\.think",
        "update Ollama on the server: 0.11.0 and newer have levels; --think alone works there",
    ),
    ("no_embeddings", r"does not support embeddings", "name a model for embeddings, such as nomic-embed-text"),
    ("no_insert", r"does not support insert", "leave out --suffix, or name a model for code that supports it"),
    ("no_raw", r"raw mode does not support", "leave out --system and --template, or --raw"),
    ("no_tools", r"does not support tools", "leave the tools out, or name a model that can call them with -m"),
    (
        "tool_call",
        r"error parsing tool call|invalid tool call",
        "the model wrote a call that is none, and nothing was run: run the cell again, or try another model with -m",
    ),
    ("no_thinking", r"does not support thinking|think value", "leave out --think"),
    (
        "no_vision",
        (
            r"does not support multimodal|image input is not supported|missing data required for image input"
            r"|only supports one image|does not support (images?|vision|audio)"
        ),
        "leave the images out, or name a model that sees with -m; `%ollama list` shows which do",
    ),
    ("no_generate", r"does not support (generate|chat|completion)", "name another model with -m"),
    (
        "context_window",
        r"context (size|length|window)",
        "shorten the prompt, or give it more room with -o num_ctx={room}",
    ),
    (
        "architecture",
        r"(unknown|unsupported) (model )?architecture|error loading model architecture",
        "update Ollama on the server, for this model needs a newer one, or pick another model",
    ),
    (
        "memory",
        (
            r"(more|insufficient|not enough) (\w+ )?(memory|space)|[Oo]ut[ -]?[Oo]f[ -]?[Mm]emory|cudaMalloc"
            r"|(unable|failed) to allocate|cannot allocate|memory layout cannot|alloc\w* .*failed|VRAM"
        ),
        _LESS,
    ),
    (
        "load_timeout",
        r"timed out waiting for .*(runner|llama|start)",
        (
            "the model took too long to load: a larger OLLAMA_LOAD_TIMEOUT on the server, such as 15m, "
            "or a smaller model helps"
        ),
    ),
    (
        "runner_ended",
        (
            r"(runner|llama-server)( process)? (has terminated|no longer running|has unexpectedly stopped)"
            r"|failed to load, this may be due to"
            r"|error was encountered while running the model|error starting (\w+ )?runner"
            r"|https?://127\.0\.0\.1:\d+/.*(EOF|refused|reset|closed)"
        ),
        f"the model's process on the server ended, and the server's log says why; if memory is short, {_LESS}",
    ),
    (
        "architecture",
        r"unable to load model|invalid (file )?magic|unsupported model format",
        "the server cannot read the model's file: update Ollama there, or `%ollama pull` the model again",
    ),
    ("outdated", r"not supported by your version", "update Ollama on the server"),
    ("other", r"no input provided", "one of the texts is empty: leave it out"),
    ("other", r"[Ss]erver busy|no slots available|overloaded", "wait a moment, then run this again"),
    ("disk_full", r"no space left", "the server's disk is full: `%ollama rm` removes a model"),
    (
        "not_in_registry",
        r"manifest: file does not exist",
        "the registry has no such model or tag: check its spelling",
    ),
    ("outdated", r"requires a newer version|manifest: 412", "update Ollama on the server"),
    (
        "outdated",
        r"[Mm]odelfile are required",
        "update Ollama on the server: 0.5.5 and newer make models from a request",
    ),
    (
        "registry",
        r"https?://[^ ]*/v2/.*(dial|lookup|timeout|proxy|tls|x509)",
        "the server cannot reach the registry",
    ),
    (
        "download",
        r"max retries exceeded",
        "the network between the server and the registry fails: run this again",
    ),
    ("download", r"digest mismatch|unexpected EOF", "run this again"),
    ("model_missing", r"^(?!.*llama-).*not found", "`%ollama list` shows the models there"),
)
_TOKENS = re.compile(r"(\d{1,9}) tokens")


def error_of(value: object) -> str:
    """Return the message of a JSON error object, however nested (protocol.md §2, §13); "" if it has none."""
    return one_line(_words(value, _DEPTH)).strip()


def _words(value: object, depth: int) -> str:
    if isinstance(value, dict) and depth:
        found = (_words(value.get(name), depth - 1) for name in _WORDS)
        return next(filter(None, found), "")
    if isinstance(value, list) and value and depth:
        return _words(value[0], depth - 1)
    if isinstance(value, str):
        return _unwrapped(value.strip(), depth)
    return "" if value is None or isinstance(value, bool | dict | list) else str(value)[:40]


def _unwrapped(text: str, depth: int) -> str:
    """Return the message of a runner's JSON inside the text, which servers have from v0.30 on."""
    start = text.find("{")
    if start < 0 or not depth:
        return text
    try:
        inner = _words(json.loads(text[start:]), depth - 1)
    except (ValueError, RecursionError):
        return text
    return f"{text[:start]}{inner}" if inner else text


def read_object(body: str) -> dict[str, object] | None:
    """Return the JSON object of a body, None if it is anything else."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def kind_of(words: str) -> ServerErrorKind:
    """Return the kind of error that a server's message describes."""
    return _complaint(words)[0]


def with_cure(words: str) -> str:
    """Return a server's message with what to do about it, without a full stop."""
    cure = _complaint(words)[1]
    return f"{_bare(words)}; {cure}" if cure else _bare(words)


def failed_in_stream(words: str, saved: str, retry: str) -> ServerError:
    """Return the error for a stream that ended with an error line.

    Args:
        words: What the server said.
        saved: A clause about what is saved of the answer, or "".
        retry: How to retry, for an unknown error.
    """
    kind, cure = _complaint(words)
    clauses = "; ".join(filter(None, (_bare(words), saved, cure or retry)))
    return ServerError(f"The server failed: {clauses}.", kind=kind)


def _bare(words: str) -> str:
    return words.rstrip(" .:-")


def _complaint(words: str) -> tuple[ServerErrorKind, str]:
    for kind, pattern, cure in _COMPLAINTS:
        if re.search(pattern, words):
            return kind, cure.format(room=_room_for(words))
    return "other", ""


def _room_for(words: str) -> int:
    """Return a context size with room for the prompt whose size the message gives, and for its answer."""
    tokens = max(map(int, _TOKENS.findall(words)), default=0)
    return max(8192, 1 << (tokens + tokens // 4).bit_length())
