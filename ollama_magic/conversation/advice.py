"""What is told of a turn that is over: what was cut, what helps. A server is asked only if the counts give reason."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ollama_magic.conversation.context_window import BYTES_A_TOKEN, does_not_fit, length_note, lost_note
from ollama_magic.conversation.reply import AS_JSON, GENERATE, fenced_blocks
from ollama_magic.errors import ServerError
from ollama_magic.ollama.versions import older

if TYPE_CHECKING:
    from ollama_magic.conversation.context_window import Demand
    from ollama_magic.conversation.reply import Reply
    from ollama_magic.conversation.seams import ChatServer
    from ollama_magic.ollama.requests import Request

SMALLEST = 2048  # what servers before v0.6.7 took for a window
KEEPS_FORMAT = "0.21.1"  # before, a format is left out with `think: false` on some families (dossier §10)


async def notes_on(reply: Reply, request: Request, demand: Demand, server: ChatServer) -> tuple[str, ...]:
    """The lines under a complete answer."""
    notes = [*await _window_notes(reply, request, demand, server)]
    if reply.form == AS_JSON and reply.done_reason != "length" and not _is_json(reply.text):
        notes.append(await _no_json(request, server))
    if reply.kind == GENERATE and not reply.thinking_parts and "</think>" in reply.text:
        notes.append("this server leaves the thinking of %%generate in its text; `%%chat --once` keeps it apart")
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
    length = length_note(request.options.get("num_predict"), demand, reply.stats, window) if cut else ""
    if lost and "window is full" in length:
        length = ""
    return [note for note in (lost, length) if note]


async def _no_json(request: Request, server: ChatServer) -> str:
    version = await server.version()
    if request.think is False and version and older(version, KEEPS_FORMAT):
        return (
            f"this is no JSON: Ollama {version} may leave -f json out where thinking is off; let it think, or update it"
        )
    return "this is no JSON: say in the prompt that JSON is wanted, and what is to stand in it"


def _is_json(text: str) -> bool:
    blocks = fenced_blocks(text)
    try:
        json.loads(blocks[0] if len(blocks) == 1 else text)
    except (ValueError, RecursionError):
        return False
    return True


async def with_cure(error: ServerError, request: Request, demand: Demand, server: ChatServer) -> ServerError:
    """An error that is about the context window says how large that is, and what helps."""
    line = does_not_fit(str(error), demand, await server.window(request)) if "context" in str(error) else ""
    return ServerError(line, error.status) if line else error
