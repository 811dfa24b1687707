"""The endpoints: chat, generate, tags, ps, show, version, `/`; each reads an exchange and replies to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollama_magic.demo.bodies import Refusal, read_body
from ollama_magic.demo.fields import CHAT, GENERATE, SHOW
from ollama_magic.demo.go import quoted
from ollama_magic.demo.library import described
from ollama_magic.demo.names import read_name, source_of
from ollama_magic.demo.turn import Turn

if TYPE_CHECKING:
    from collections.abc import Callable

    from ollama_magic.demo.faults import Fault
    from ollama_magic.demo.models import DemoModel
    from ollama_magic.demo.prompts import Message
    from ollama_magic.demo.stage import Stage
    from ollama_magic.demo.wire import Exchange

    Endpoint = Callable[[Stage, Exchange, Fault | None], None]


def root(_stage: Stage, exchange: Exchange, _fault: Fault | None) -> None:
    """Answer the heartbeat."""
    exchange.reply(200, "text/plain; charset=utf-8", b"Ollama is running")


def version(stage: Stage, exchange: Exchange, _fault: Fault | None) -> None:
    """Tell the version that this server plays."""
    exchange.json({"version": stage.version})


def tags(stage: Stage, exchange: Exchange, _fault: Fault | None) -> None:
    """List all models."""
    exchange.json({"models": stage.library.tags()})


def ps(stage: Stage, exchange: Exchange, _fault: Fault | None) -> None:
    """List the loaded models."""
    exchange.json({"models": stage.runners.running()})


def show(stage: Stage, exchange: Exchange, _fault: Fault | None) -> None:
    """Tell of one model; only here the not-found text has the tag (dossier §2.1)."""
    body = read_body(exchange.request.body, SHOW)
    asked = str(body.get("model") or body.get("name") or "")
    if not asked.strip():
        raise Refusal(400, "model is required")
    model = _find(stage, asked, tagged=True)
    options = body.get("options")
    exchange.json(described(model, options if isinstance(options, dict) else {}, str(body.get("system", ""))))


def chat(stage: Stage, exchange: Exchange, fault: Fault | None) -> None:
    """Answer a conversation; without messages the model is loaded or unloaded (dossier §6.5)."""
    body = read_body(exchange.request.body, CHAT)
    name = str(body.get("model", ""))
    if not name.strip():
        raise Refusal(400, "model is required")
    model = _find(stage, name)
    if body.get("tools") and "tools" not in model.capabilities:
        raise Refusal(400, f"{_full(name)} does not support tools")
    messages = body.get("messages")
    given = [_message(item) for item in messages] if isinstance(messages, list) else []
    Turn(stage, exchange, fault, body, model, "chat", given).run()


def generate(stage: Stage, exchange: Exchange, fault: Fault | None) -> None:
    """Answer one prompt without history; an empty one loads or unloads."""
    body = read_body(exchange.request.body, GENERATE)
    name, prompt = str(body.get("model", "")), str(body.get("prompt", ""))
    if not name.strip():
        raise Refusal(404, "model '' not found")
    model = _find(stage, name)
    if body.get("raw") and any(body.get(key) for key in ("template", "system", "context")):
        raise Refusal(400, "raw mode does not support template, system, or context")
    if body.get("suffix") and "insert" not in model.capabilities:
        raise Refusal(400, f"{_full(name)} does not support insert")
    given: list[Message] = [("user", prompt)] if prompt else []
    if given and body.get("system"):
        given.insert(0, ("system", str(body["system"])))
    Turn(stage, exchange, fault, body, model, "generate", given).run()


def _find(stage: Stage, name: str, tagged: bool = False) -> DemoModel:
    source = source_of(name)
    if source == "both":
        raise Refusal(400, f"use either :local or :cloud, not both: {quoted(name)}")
    if source == "cloud":
        raise Refusal(502, "dial tcp: lookup ollama.com: no such host")
    read = read_name(name.removesuffix(":local"))
    if read is None:
        raise Refusal(400, "invalid model name")
    model = stage.library.find(name.removesuffix(":local"))
    if model is None:
        raise Refusal(404, f"model '{read.shown if tagged else name}' not found")
    return model


def _full(name: str) -> str:
    read = read_name(name)
    return read.full if read else name


def _message(item: dict[str, object]) -> Message:
    return (str(item.get("role", "")), str(item.get("content", "")))
