"""The notes below a complete answer: what was cut off, and what helps. The server is asked only if needed."""

from __future__ import annotations

import json
import string
from typing import TYPE_CHECKING

from ollama_magic.answer_types.answer_json import fenced_blocks
from ollama_magic.conversation.context_window import (
    BYTES_A_TOKEN,
    answer_limit,
    does_not_fit,
    length_note,
    limit_is_window,
    lost_note,
)
from ollama_magic.conversation.reply import AS_JSON
from ollama_magic.errors import ServerError
from ollama_magic.ollama.versions import older

if TYPE_CHECKING:
    from ollama_magic.conversation.context_window import Demand
    from ollama_magic.conversation.interfaces import ChatServer
    from ollama_magic.conversation.reply import Reply
    from ollama_magic.ollama.protocol import Request

_BLANK = string.whitespace + "\u00a0\u200b\u2060\ufeff"  # invisible characters
SMALLEST = 2048  # what servers before v0.6.7 took for a window
KEEPS_FORMAT = "0.21.1"  # before, a format is left out with `think: false` on some families (protocol.md §10)

THOUGHT_ONLY = (
    "the model thought and ended without an answer; retry, add `--no-think` to get an answer at once, "
    "or give it more room with `-o num_predict=-1`"
)
EMPTY = "the model returned an empty answer; rephrase the prompt, or try another model with `-m NAME`"


async def notes_on(reply: Reply, request: Request, demand: Demand, server: ChatServer) -> tuple[str, ...]:
    """Return the notes below a complete answer."""
    notes = [*await _window_notes(reply, request, demand, server)]
    if not reply.text.strip(_BLANK) and reply.done_reason != "length":
        return (*notes, THOUGHT_ONLY if reply.thinking.strip() else EMPTY)
    if reply.form == AS_JSON and reply.done_reason != "length" and not _is_json(reply.text):
        notes.append(await _no_json(request, server))
    return tuple(notes)


async def _window_notes(reply: Reply, request: Request, demand: Demand, server: ChatServer) -> list[str]:
    read = reply.stats.prompt_tokens if reply.stats else None
    size = server.window_known(request) or SMALLEST
    most = max(demand.tokens, demand.bytes // BYTES_A_TOKEN, read or 0)
    cut = reply.done_reason == "length"
    if not cut and most <= size * 0.7:
        return []
    window = await server.window(request)
    lost = lost_note(demand, reply.stats, window)
    limit = answer_limit(request.options.get("num_predict"))
    said = not cut or (lost and limit_is_window(limit, reply.stats, window))  # the first note says it as well
    return [note for note in (lost, "" if said else length_note(limit, demand, reply.stats, window)) if note]


async def _no_json(request: Request, server: ChatServer) -> str:
    version = await server.version()
    if request.think is False and version and older(version, KEEPS_FORMAT):
        return f"this is not JSON: Ollama {version} may ignore -f json with thinking off; let it think, or update it"
    return "this is not JSON: ask for JSON in the prompt, and describe what it should contain"


def _is_json(text: str) -> bool:
    blocks = fenced_blocks(text)
    try:
        json.loads(blocks[0] if len(blocks) == 1 else text)
    except (ValueError, RecursionError):
        return False
    return True


async def explain_window_error(error: ServerError, request: Request, demand: Demand, server: ChatServer) -> ServerError:
    """Return the error; one about the context window also says how large that is, and what helps."""
    line = does_not_fit(str(error), demand, await server.window(request)) if error.kind == "context_window" else ""
    return ServerError(line, error.status, error.kind) if line else error
