"""Create: a model from another one, line by line as the server reports it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ollama_magic.demo.api.model_pull import pulled
from ollama_magic.demo.api.progress_lines import Line, send_progress
from ollama_magic.demo.models.model_reference import read_reference
from ollama_magic.demo.server_state import name_in
from ollama_magic.demo.transport.request_body import CREATE, Body, Refusal, read_body

if TYPE_CHECKING:
    from collections.abc import Generator

    from ollama_magic.demo.models.model_card import DemoModel
    from ollama_magic.demo.server_state import ServerState
    from ollama_magic.demo.transport.exchange import Exchange

_NO_FILES = "this server makes models from other models only, not from files"


def create(state: ServerState, exchange: Exchange) -> None:
    """Make a model of another one."""
    body = read_body(exchange.body, CREATE)
    name = name_in(body)
    if read_reference(name) is None:
        raise Refusal(400, "invalid model name")
    send_progress(exchange, body, _created(state, exchange, name, body))


def _created(state: ServerState, exchange: Exchange, name: str, body: Body) -> Generator[Line, None, None]:
    if not body.get("from"):
        raise Refusal(400, _NO_FILES if body.get("files") else "neither 'from' or 'files' was specified")
    base = yield from _base(state, exchange, body["from"])
    if body.get("quantize") and base.quantization not in ("F32", "F16", "BF16"):
        raise Refusal(500, "quantization is only supported for F16, BF16 and F32 models")
    made = _changed(replace(base, name=name), body)
    for layer in made.layers:
        known = state.installed.has_layer(layer.digest)
        yield {"status": f"{'using existing' if known else 'creating new'} layer {layer.digest}"}
    yield {"status": "writing manifest"}
    state.installed.add(made)
    yield {"status": "success"}


def _base(state: ServerState, exchange: Exchange, source: str) -> Generator[Line, None, DemoModel]:
    """The model to start from; one that is missing is pulled, and that pull reports its own success too."""
    reference = read_reference(source)
    if reference is None:
        raise Refusal(400, "invalid model name")
    if state.installed.find(source) is None:
        yield from pulled(state, exchange, reference)
    model = state.find(source)
    return replace(model, base=model.base or model.name, parent=model.shown)


def _changed(model: DemoModel, body: Body) -> DemoModel:
    """The model with what the body replaces; parameters are laid over the inherited ones."""
    texts = {key: body[key] for key in ("template", "system") if body.get(key)}
    license_ = body.get("license")
    if license_:
        texts["license"] = "\n".join(map(str, license_ if isinstance(license_, list) else [license_]))
    parameters = {**dict(model.parameters), **body.get("parameters", {})}
    messages = tuple((one["role"], one.get("content", "")) for one in body.get("messages", []))
    return replace(model, **texts, parameters=tuple(parameters.items()), messages=messages or model.messages)
