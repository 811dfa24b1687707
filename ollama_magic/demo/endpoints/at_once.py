"""The endpoints that end at once: `/`, version, tags, ps, show, copy, delete."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollama_magic.demo.endpoints.finding import NOT_FOUND, NOT_FOUND_TAGGED, found, name_in
from ollama_magic.demo.endpoints.old import read
from ollama_magic.demo.library.library import described
from ollama_magic.demo.library.names import read_name
from ollama_magic.demo.wire.bodies import Refusal
from ollama_magic.demo.wire.fields import COPY, DELETE, SHOW
from ollama_magic.demo.wire.go import quoted

if TYPE_CHECKING:
    from collections.abc import Callable

    from ollama_magic.demo.faults import Fault
    from ollama_magic.demo.stage import Stage
    from ollama_magic.demo.wire.wire import Exchange

    Endpoint = Callable[[Stage, Exchange, Fault | None], None]


def root(_stage: Stage, exchange: Exchange, _fault: Fault | None) -> None:
    """Answer the heartbeat."""
    exchange.reply(200, "text/plain; charset=utf-8", b"Ollama is running")


def version(stage: Stage, exchange: Exchange, _fault: Fault | None) -> None:
    """Tell the version that this server plays."""
    exchange.json({"version": stage.version})


def tags(stage: Stage, exchange: Exchange, _fault: Fault | None) -> None:
    """List all models."""
    exchange.json({"models": stage.library.tags(stage.age)})


def ps(stage: Stage, exchange: Exchange, _fault: Fault | None) -> None:
    """List the loaded models."""
    items = stage.runners.running()
    if not stage.age.has("ps_context"):
        items = [{key: value for key, value in item.items() if key != "context_length"} for item in items]
    exchange.json({"models": items})


def show(stage: Stage, exchange: Exchange, _fault: Fault | None) -> None:
    """Tell of one model; only here the not-found text has the tag (dossier §2.1)."""
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


def copy(stage: Stage, exchange: Exchange, _fault: Fault | None) -> None:
    """Give a model a second name, which is overwritten without asking; the reply is empty."""
    body = read(stage, exchange, COPY)
    source, destination = str(body.get("source", "")), str(body.get("destination", ""))
    for kind, name in (("source", source), ("destination", destination)):
        if read_name(name) is None:
            raise Refusal(400, f"{kind} {quoted(name)} is invalid")
    model = stage.library.find(source)
    if model is None:
        raise Refusal(404, f"model {quoted(source)} not found")
    stage.library.copy(model, destination)
    exchange.reply(200, None)


def delete(stage: Stage, exchange: Exchange, _fault: Fault | None) -> None:
    """Forget a model; what it says goes on."""
    body = read(stage, exchange, DELETE)
    name = name_in(body)
    if not name.strip():
        raise Refusal(400, "model is required")
    if read_name(name) is None:
        raise Refusal(400, f"name {quoted(name)} is invalid")
    model = stage.library.find(name)
    if model is None:
        raise Refusal(404, f"model '{name}' not found")
    stage.library.remove(model)
    exchange.reply(200, None)
