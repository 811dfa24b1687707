"""The endpoints: chat, generate, tags, ps, show, version, `/`; each reads an exchange and replies to it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ollama_magic.demo.bodies import CHAT, GENERATE, SHOW, Body, Refusal, check_format, check_options, read_body
from ollama_magic.demo.deltas import Delta, as_deltas
from ollama_magic.demo.generation import Answer
from ollama_magic.demo.go import go_time, quoted
from ollama_magic.demo.names import read_name, source_of
from ollama_magic.demo.prompts import fitted, rendered, token_count
from ollama_magic.demo.replies import Recorded, reply_to
from ollama_magic.demo.wire import ClientLeft

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Literal

    from ollama_magic.demo.faults import Fault
    from ollama_magic.demo.models import DemoModel
    from ollama_magic.demo.prompts import Message
    from ollama_magic.demo.stage import Stage
    from ollama_magic.demo.wire import Exchange

    Endpoint = Callable[[Stage, Exchange, Fault | None], None]
    Shape = Literal["chat", "generate"]


def root(_stage: Stage, exchange: Exchange, _fault: Fault | None) -> None:
    """The heartbeat."""
    exchange.reply(200, "text/plain; charset=utf-8", b"Ollama is running")


def version(stage: Stage, exchange: Exchange, _fault: Fault | None) -> None:
    """The version that this server plays."""
    exchange.json({"version": stage.version})


def tags(stage: Stage, exchange: Exchange, _fault: Fault | None) -> None:
    """All models."""
    exchange.json({"models": stage.store.tags()})


def ps(stage: Stage, exchange: Exchange, _fault: Fault | None) -> None:
    """The loaded models."""
    exchange.json({"models": stage.store.running()})


def show(stage: Stage, exchange: Exchange, _fault: Fault | None) -> None:
    """One model; the not-found text has the tag (dossier §2.1)."""
    body = read_body(exchange.request.body, SHOW)
    asked = str(body.get("model") or body.get("name") or "")
    if not asked.strip():
        raise Refusal(400, "model is required")
    model = _find(stage, asked, tagged=True)
    options = body.get("options")
    exchange.json(stage.store.show(model, options if isinstance(options, dict) else {}, str(body.get("system", ""))))


def chat(stage: Stage, exchange: Exchange, fault: Fault | None) -> None:
    """One turn, streamed unless asked otherwise; without messages the model is loaded or unloaded (dossier §6.5)."""
    body = read_body(exchange.request.body, CHAT)
    name = str(body.get("model", ""))
    if not name.strip():
        raise Refusal(400, "model is required")
    messages = body.get("messages")
    model = _find(stage, name)
    given = [_message(item) for item in messages] if isinstance(messages, list) else []
    if body.get("tools") and "tools" not in model.capabilities:
        raise Refusal(400, f"{_full(name)} does not support tools")
    _turn(stage, exchange, fault, body, model, "chat", given)


def generate(stage: Stage, exchange: Exchange, fault: Fault | None) -> None:
    """One prompt without history; an empty one loads or unloads."""
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
    _turn(stage, exchange, fault, body, model, "generate", given)


def _turn(
    stage: Stage,
    exchange: Exchange,
    fault: Fault | None,
    body: Body,
    model: DemoModel,
    shape: Shape,
    given: list[Message],
) -> None:
    """What chat and generate have in common."""
    keep = body.get("keep_alive")
    if not given and keep == 0:
        stage.store.unload(model)
        _say_nothing(exchange, body, shape, "unload")
        return
    _check_abilities(model, body, shape)
    options = check_options(body.get("options"))
    check_format(body.get("format"))
    try:
        _load(stage, exchange, model, options, keep if isinstance(keep, float) else None)
        if not given:
            _say_nothing(exchange, body, shape, "load")
        else:
            _answer(stage, exchange, fault, body, model, shape, fitted(model, given, options, body))
    finally:
        stage.store.release(model)
        if keep == 0:
            stage.store.unload(model)


def _load(stage: Stage, exchange: Exchange, model: DemoModel, options: Body, keep: float | None) -> None:
    """A load that the client does not wait for is given up."""
    if stage.store.load(model, options, keep):
        try:
            exchange.connection.pause(stage.load_seconds)
        except ClientLeft:
            stage.store.unload(model)
            raise


def _answer(
    stage: Stage,
    exchange: Exchange,
    fault: Fault | None,
    body: Body,
    model: DemoModel,
    shape: Shape,
    messages: list[Message],
) -> None:
    load_ns = time.monotonic_ns() - exchange.arrived
    thinks = "thinking" in model.capabilities and body.get("think", True) is not False
    if body.get("_debug_render_only"):
        info = {"rendered_template": rendered(messages, thinks and "think" in body)}
        exchange.json({**_nothing(body, shape, role=""), "done": False, "_debug_info": info})
        return
    options = check_options(body.get("options"))
    deltas, own_pace = _deltas(stage, exchange, fault, messages, body, thinks)
    limit = options.get("num_predict")
    count = token_count(messages)
    Answer(
        exchange,
        str(body["model"]),
        deltas,
        shape,
        pace=0.0 if own_pace else stage.tokens_per_second,
        first=0.0 if own_pace else stage.first_pause,
        prompt_tokens=min(count, stage.store.context_of(model, options)),
        load_ns=load_ns,
        limit=limit if isinstance(limit, int) and limit > 0 else None,
        context=list(range(1, count + 1)) if shape == "generate" and not body.get("raw") else [],
        fault=fault,
    ).send(stream=body.get("stream", True) is True)


def _deltas(
    stage: Stage, exchange: Exchange, fault: Fault | None, messages: list[Message], body: Body, thinks: bool
) -> tuple[Iterable[Delta], bool]:
    """The answer's pieces, and whether they bring their own pace."""
    if fault and fault.kind == "script":
        return list(as_deltas(fault.script)), False
    if stage.answers:
        given = stage.answers(exchange.request.json)
        return (list(as_deltas(given)) if isinstance(given, (list, tuple)) else as_deltas(given)), False
    reply = reply_to(messages, thinks, body.get("format"))
    if isinstance(reply, Recorded):
        return reply.deltas(at_its_pace=stage.pace is None), stage.pace is None
    return reply.deltas(), False


def _find(stage: Stage, name: str, tagged: bool = False) -> DemoModel:
    source = source_of(name)
    if source == "both":
        raise Refusal(400, f"use either :local or :cloud, not both: {quoted(name)}")
    read = read_name(name.removesuffix(":local"))
    if read is None:
        raise Refusal(400, "invalid model name")
    model = stage.store.find(name.removesuffix(":local"))
    if model is None:
        raise Refusal(404, f"model '{read.shown if tagged else name}' not found")
    return model


def _full(name: str) -> str:
    read = read_name(name)
    return read.full if read else name


def _check_abilities(model: DemoModel, body: Body, shape: Shape) -> None:
    asked = quoted(str(body["model"]))
    if "completion" not in model.capabilities:
        raise Refusal(400, f"{asked} does not support {shape}")
    if body.get("think") and "thinking" not in model.capabilities:
        raise Refusal(400, f"{asked} does not support thinking")


def _message(item: dict[str, object]) -> Message:
    return (str(item.get("role", "")), str(item.get("content", "")))


def _nothing(body: Body, shape: Shape, role: str = "assistant") -> Body:
    said = {"message": {"role": role, "content": ""}} if shape == "chat" else {"response": ""}
    return {"model": body["model"], "created_at": go_time(time.time_ns()), **said}


def _say_nothing(exchange: Exchange, body: Body, shape: Shape, reason: str) -> None:
    exchange.json({**_nothing(body, shape), "done": True, "done_reason": reason})
