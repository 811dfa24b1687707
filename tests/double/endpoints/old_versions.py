"""Bodies as servers of an age read them: fields they do not know are passed over, newer values are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollama_magic.demo.transport.go_format import quoted
from tests.double.endpoints.model_lookup import NOT_FOUND, NOT_FOUND_PULL
from tests.double.wire.go_bodies import Body, Refusal, read_body

if TYPE_CHECKING:
    from tests.double.library.versions import Age
    from tests.double.scripted_state import ScriptedState
    from tests.double.wire.go_fields import Kind
    from tests.double.wire.http import Exchange

_NOT_FOUND_OLDEST = "model '{name}' not found, try pulling it first"
_SINCE = {
    "keep_alive": "keep_alive",
    "think": "think",
    "logprobs": "logprobs",
    "top_logprobs": "logprobs",
    "truncate": "truncate",
    "shift": "truncate",
    "_debug_render_only": "render_only",
    "tools": "tools",
    "suffix": "tools",
    "dimensions": "dimensions",
}
_MODEL_LATER = ("PullRequest", "PushRequest", "DeleteRequest", "CreateRequest")


def read(stage: ScriptedState, exchange: Exchange, kind: Kind) -> Body:
    """The known fields of a request's body; Refusal in the words of the server's age."""
    struct, fields = kind
    unknown = {field for field, feature in _SINCE.items() if not stage.age.has(feature)}
    if struct == "EmbedRequest":
        unknown.discard("truncate")
    if struct in _MODEL_LATER and not stage.age.has("model_field"):
        unknown.add("model")
    body = read_body(exchange.request.body, (struct, {key: one for key, one in fields.items() if key not in unknown}))
    _check_format(body.get("format"), stage.age, struct)
    _check_think(body.get("think"), stage.age, struct)
    return body


def _check_format(value: object, age: Age, struct: str) -> None:
    """Before v0.5.0 there were no schemas (protocol.md §22)."""
    if value is None or age.has("schema"):
        return
    if not isinstance(value, str):
        kind = {dict: "object", list: "array", bool: "bool"}.get(type(value), "number")
        raise Refusal(400, f"json: cannot unmarshal {kind} into Go struct field {struct}.format of type string")
    if value not in ("", "json"):
        raise Refusal(400, 'format must be empty or "json"' if age.has("format_or_empty") else "format must be json")


def _check_think(value: object, age: Age, struct: str) -> None:
    if not isinstance(value, str):
        return
    if not age.has("think_levels"):
        raise Refusal(400, f"json: cannot unmarshal string into Go struct field {struct}.think of type bool")
    if value == "max" and not age.has("level_max"):
        raise Refusal(400, 'invalid think value: "max" (must be "high", "medium", "low", true, or false)')
    if not age.has("any_level"):
        raise Refusal(400, f"think value {quoted(value)} is not supported for this model")


def not_found(age: Age, since: str) -> str:
    """What chat and generate say of an unknown model; the text changed twice."""
    if age.has(since):
        return NOT_FOUND
    return NOT_FOUND_PULL if age.has("format_or_empty") else _NOT_FOUND_OLDEST
