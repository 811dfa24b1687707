"""The endpoints that end at once: `/`, version, tags, ps, show, copy, delete."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollama_magic.demo.models.installed_models import described
from ollama_magic.demo.models.model_reference import read_reference
from ollama_magic.demo.server_state import NOT_FOUND_TAGGED, name_in
from ollama_magic.demo.transport.go_format import quoted
from ollama_magic.demo.transport.request_body import COPY, NAMED, SHOW, Refusal, read_body

if TYPE_CHECKING:
    from ollama_magic.demo.server_state import ServerState
    from ollama_magic.demo.transport.exchange import Exchange


def root(_state: ServerState, exchange: Exchange) -> None:
    """Answer the heartbeat."""
    exchange.reply(200, "text/plain; charset=utf-8", b"Ollama is running")


def version(state: ServerState, exchange: Exchange) -> None:
    """Report the version of Ollama whose protocol this is."""
    exchange.json({"version": state.version})


def tags(state: ServerState, exchange: Exchange) -> None:
    """List all models."""
    exchange.json({"models": state.installed.tags()})


def ps(state: ServerState, exchange: Exchange) -> None:
    """List the loaded models."""
    exchange.json({"models": state.loaded.running(state.size)})


def show(state: ServerState, exchange: Exchange) -> None:
    """Describe one model; only here the not-found text has the tag (protocol.md §2.1)."""
    body = read_body(exchange.body, SHOW)
    name = name_in(body)
    if not name.strip():
        raise Refusal(400, "model is required")
    model = state.find(name, NOT_FOUND_TAGGED)
    exchange.json(described(model, body.get("options", {}), body.get("system", ""), body.get("verbose", False)))


def copy(state: ServerState, exchange: Exchange) -> None:
    """Add a second name for a model, which replaces what has it; the reply is empty."""
    body = read_body(exchange.body, COPY)
    for kind in ("source", "destination"):
        if read_reference(body.get(kind, "")) is None:
            raise Refusal(400, f"{kind} {quoted(body.get(kind, ''))} is invalid")
    model = state.installed.find(body["source"])
    if model is None:
        raise Refusal(404, f"model {quoted(body['source'])} not found")
    state.installed.copy(model, body["destination"])
    exchange.reply(200, None)


def delete(state: ServerState, exchange: Exchange) -> None:
    """Remove a model; an answer of it that is running still ends."""
    name = name_in(read_body(exchange.body, NAMED))
    if not name.strip():
        raise Refusal(400, "model is required")
    if read_reference(name) is None:
        raise Refusal(400, f"name {quoted(name)} is invalid")
    state.remove(state.find(name))
    exchange.reply(200, None)
