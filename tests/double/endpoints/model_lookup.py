"""Which model a request means, and what each endpoint says when there is none (protocol.md §2.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollama_magic.demo.models.model_reference import read_reference
from ollama_magic.demo.transport.go_format import quoted
from tests.double.endpoints.account import unreachable
from tests.double.library.names import source_of
from tests.double.wire.go_bodies import Body, Refusal

if TYPE_CHECKING:
    from tests.double.library.scripted_models import DemoModel
    from tests.double.scripted_state import ScriptedState

NOT_FOUND = "model '{name}' not found"
NOT_FOUND_TAGGED = "model '{shown}' not found"
NOT_FOUND_PULL = 'model "{name}" not found, try pulling it first'


def name_in(body: Body) -> str:
    """The name that a body asks for; `name` is the old word."""
    return str(body.get("model") or body.get("name") or "")


def found(stage: ScriptedState, name: str, missing: str = NOT_FOUND, path: str = "/api/show") -> DemoModel:
    """The model of that name; Refusal for a malformed name, an unknown one, or one that runs elsewhere."""
    source = source_of(name) if stage.age.has("cloud_names") else ""
    if source == "both":
        raise Refusal(400, f"use either :local or :cloud, not both: {quoted(name)}")
    if source == "cloud":
        raise Refusal(502, unreachable(path))
    read = read_reference(name.removesuffix(":local"))
    if read is None:
        raise Refusal(400, "invalid model name")
    model = stage.library.find(name.removesuffix(":local"))
    if model is None:
        raise Refusal(404, missing.format(name=name, shown=read.shown))
    return model


def full(name: str) -> str:
    """The name with every part, as a few error texts say it."""
    read = read_reference(name)
    return read.full if read else name
