"""The endpoints that end at once: `/`, version, tags, ps, show, copy, delete."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollama_magic.demo.models.model_reference import read_reference
from ollama_magic.demo.transport.go_format import quoted
from tests.double.endpoints.model_lookup import NOT_FOUND, NOT_FOUND_TAGGED, found, name_in
from tests.double.endpoints.old_versions import read
from tests.double.library.library import described
from tests.double.wire.go_bodies import Refusal
from tests.double.wire.go_fields import COPY, DELETE, SHOW

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.double.faults import Fault
    from tests.double.scripted_state import ScriptedState
    from tests.double.wire.http import Exchange

    Endpoint = Callable[[ScriptedState, Exchange, Fault | None], None]


def root(_stage: ScriptedState, exchange: Exchange, _fault: Fault | None) -> None:
    """Answer the heartbeat."""
    exchange.reply(200, "text/plain; charset=utf-8", b"Ollama is running")


def version(stage: ScriptedState, exchange: Exchange, _fault: Fault | None) -> None:
    """Tell the version that this server plays."""
    exchange.json({"version": stage.version})


def tags(stage: ScriptedState, exchange: Exchange, _fault: Fault | None) -> None:
    """List all models."""
    exchange.json({"models": stage.library.tags_of(stage.age)})


def ps(stage: ScriptedState, exchange: Exchange, _fault: Fault | None) -> None:
    """List the loaded models."""
    items = stage.loaded.running(lambda model: model.size)
    if not stage.age.has("ps_context"):
        items = [{key: value for key, value in item.items() if key != "context_length"} for item in items]
    exchange.json({"models": items})


def show(stage: ScriptedState, exchange: Exchange, _fault: Fault | None) -> None:
    """Tell of one model; only here the not-found text has the tag (protocol.md §2.1)."""
    body = read(stage, exchange, SHOW)
    asked = name_in(body)
    if not asked.strip():
        raise Refusal(400, "model is required")
    model = found(stage, asked, NOT_FOUND_TAGGED if stage.age.has("native") else NOT_FOUND)
    options = body.get("options")
    exchange.json(
        described(
            model,
            options if isinstance(options, dict) else {},
            str(body.get("system", "")),
            stage.age,
            bool(body.get("verbose")),
        )
    )


def copy(stage: ScriptedState, exchange: Exchange, _fault: Fault | None) -> None:
    """Give a model a second name, which is overwritten without asking; the reply is empty."""
    body = read(stage, exchange, COPY)
    source, destination = str(body.get("source", "")), str(body.get("destination", ""))
    for kind, name in (("source", source), ("destination", destination)):
        if read_reference(name) is None:
            raise Refusal(400, f"{kind} {quoted(name)} is invalid")
    model = stage.library.find(source)
    if model is None:
        raise Refusal(404, f"model {quoted(source)} not found")
    stage.library.copy(model, destination)
    exchange.reply(200, None)


def delete(stage: ScriptedState, exchange: Exchange, _fault: Fault | None) -> None:
    """Forget a model; what it says goes on."""
    body = read(stage, exchange, DELETE)
    name = name_in(body)
    if not name.strip():
        raise Refusal(400, "model is required")
    if read_reference(name) is None:
        raise Refusal(400, f"name {quoted(name)} is invalid")
    model = stage.library.find(name)
    if model is None:
        raise Refusal(404, f"model '{name}' not found")
    stage.library.remove(model)
    exchange.reply(200, None)
