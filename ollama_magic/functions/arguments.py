"""Validates the arguments of the public functions: messages as ollama-python has them, texts, model options."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from ollama_magic.errors import InputError
from ollama_magic.foreign import one_line
from ollama_magic.functions.attached import images_from
from ollama_magic.ollama.message_json import plain_number
from ollama_magic.ollama.message_list import MessageList
from ollama_magic.ollama.messages import Message, ToolCall
from ollama_magic.ollama.protocol import ChatRequest, KeepAlive, ModelSummary, Options, RunningModel, Think
from ollama_magic.ollama.tool_calls import calls_from

if TYPE_CHECKING:
    from ollama_magic.answer_types.answer_format import AnswerFormat
    from ollama_magic.tools.tool import Tool


class MessageLike(Protocol):
    """A message of another library, such as ollama-python's."""

    @property
    def role(self) -> str: ...  # noqa: D102
    @property
    def content(self) -> str | None: ...  # noqa: D102


class OptionsLike(Protocol):
    """Model options as a pydantic model, such as ollama-python's."""

    def model_dump(self, *, exclude_none: bool = ...) -> dict[str, Any]: ...  # noqa: D102


class ModelLike(Protocol):
    """An entry of another library's list of models, such as ollama-python's."""

    @property
    def model(self) -> str | None: ...  # noqa: D102


Messages: TypeAlias = str | Iterable[Mapping[str, object] | Message | MessageLike]
ModelName: TypeAlias = str | ModelSummary | RunningModel | ModelLike | None
AnyOptions: TypeAlias = Options | OptionsLike | None
Tools: TypeAlias = Iterable[object] | None  # functions, and descriptions of functions in ollama-python's shape

_SWITCHES = ("true", "false", "on", "off", "yes", "no", "none", "1", "0")


def messages_from(value: object, system: str = "") -> MessageList:
    """Read messages: a text is the user's; else dicts with role and content, ollama-python's messages, or ours."""
    found: tuple[Message, ...]
    if isinstance(value, str):
        found = (Message("user", text_from(value, "prompt")),)
    elif isinstance(value, Iterable) and not isinstance(value, (Mapping, bytes)):
        found = tuple(_message(message, place) for place, message in enumerate(value, 1))
    else:
        raise InputError("Messages are a text, or a list such as [{'role': 'user', 'content': '…'}].")
    if not found:
        raise InputError("There is no message to answer; the list is empty.")
    return MessageList((Message("system", system), *found) if system else found)


def text_from(value: object, what: str) -> str:
    """Return a text, which must not be empty."""
    if not isinstance(value, str):
        raise InputError(f"The {what} must be a text, not {_kind(value)}.")
    if not value.strip():
        raise InputError(f"The {what} is empty; there is nothing to answer.")
    return value


def texts_from(value: object) -> list[str]:
    """Return the texts to embed; raise InputError with the position of anything that is not a text."""
    if isinstance(value, Mapping) or hasattr(value, "columns"):
        raise InputError(f"Only texts can be embedded, not {_kind(value)}; pass a list of texts, or one column.")
    single = isinstance(value, str) or not isinstance(value, Iterable)
    texts: list[object] = [value] if single else list(value)  # type: ignore[call-overload]
    for place, text in enumerate(texts, 1):
        if not isinstance(text, str):
            found = "None" if text is None else _kind(text)
            raise InputError(f"Only texts can be embedded, not {found}{'' if single else f' (text {place})'}.")
    return [text for text in texts if isinstance(text, str)]


def model_from(value: object) -> str:
    """Return the name of a model, or of an entry of `list()` or `ps()`, ours or ollama-python's; "" for None."""
    name = value.name if isinstance(value, ModelSummary | RunningModel) else getattr(value, "model", value)
    if name is None:
        return ""
    if not isinstance(name, str):
        raise InputError(f"A model is a name such as 'gemma3:1b', or an entry of list(), not {_kind(value)}.")
    return name


def think_from(value: object) -> Think:
    """Return True, False or a level; a text such as "true" is refused, because a server would take it for a level."""
    if isinstance(value, str) and value.strip() and value.strip().lower() not in _SWITCHES:
        return value.strip()
    if value is None or isinstance(value, bool):
        return value
    with suppress(TypeError):
        if isinstance(found := plain_number(value), bool):
            return found
    shown = repr(one_line(value, 40)) if isinstance(value, str) else _kind(value)
    raise InputError(f"think is True, False, or a level such as 'low', not {shown}.")


def keep_alive_from(value: object) -> KeepAlive:
    """Return seconds, or a text such as "10m"; as in a line, a text of digits is seconds."""
    from ollama_magic.line.value_readers import duration

    if value is None:
        return None
    found: object = value if isinstance(value, str) and value.strip() else True
    with suppress(TypeError):
        found = found if isinstance(found, str) else plain_number(value)
    if isinstance(found, bool) or not isinstance(found, (str, int, float)):
        raise InputError(f"keep_alive is a number of seconds, or a text such as '10m', not {_kind(value)}.")
    try:
        return duration(f"{found:.9f}" if isinstance(found, float) else str(found))  # without an exponent
    except ValueError as error:
        raise InputError(f"keep_alive: {error}.") from None


def format_from(source: object) -> AnswerFormat[Any] | None:
    """Return the format that "json", a type, or a JSON Schema as a dict or path stands for; None for none."""
    if source is None or (isinstance(source, str | Mapping) and not source):
        return None
    from ollama_magic.answer_types.answer_format import answer_format

    return answer_format(source)


def tools_from(value: object) -> tuple[Tool, ...]:
    """Return the tools of `tools=[…]`; the caller's variables have the functions of mere descriptions."""
    if value is None:
        return ()
    from ollama_magic.magics.caller_scope import caller_scope
    from ollama_magic.tools.listing import tools_listed

    return tools_listed(value, caller_scope({}))


def optional_text(value: object, name: str) -> str:
    """Return a text such as the system text; "" for None."""
    if value is None or isinstance(value, str):
        return value or ""
    raise InputError(f"{name} is a text, not {_kind(value)}.")


def switch_from(value: object, name: str) -> bool | None:
    """Return True, False or None; a text or a number is refused, as a server would refuse it in words of its own."""
    if value is None or isinstance(value, bool):
        return value
    with suppress(TypeError):
        if isinstance(found := plain_number(value), bool):
            return found
    raise InputError(f"{name} is True or False, not {_kind(value)}.")


def dimensions_from(value: object) -> int | None:
    """Return the length of vectors, None for that of the model."""
    if value is None:
        return None
    with suppress(TypeError):
        found = plain_number(value)
        if isinstance(found, int) and not isinstance(found, bool):
            return found
    raise InputError(f"dimensions is a whole number such as 256, not {_kind(value)}.")


def options_from(options: object) -> dict[str, object]:
    """Return model options by their known names from a dict or ollama-python's Options."""
    if options is None:
        return {}
    if hasattr(options, "model_dump"):
        options = options.model_dump(exclude_none=True)
    if not isinstance(options, Mapping):
        raise InputError(f"Options are a dict such as {{'temperature': 0.2}}, not {_kind(options)}.")
    from ollama_magic.line.model_options import known_name, typed_value

    texts = {known_name(str(name)): _written(value) for name, value in options.items() if value is not None}
    return {name: typed_value(name, text) for name, text in texts.items()}


def chat_request(
    messages: object,
    model: object,
    system: object,
    options: object,
    think: object,
    asked: AnswerFormat[Any] | None,
    keep_alive: object,
    tools: tuple[Tool, ...],
) -> ChatRequest:
    """Return the request of a chat with arguments as they came."""
    return ChatRequest(
        model_from(model),
        messages_from(messages, optional_text(system, "system")),
        options_from(options),
        think_from(think),
        asked.schema if asked is not None else None,
        keep_alive_from(keep_alive),
        tuple(tool.schema for tool in tools),
    )


def _message(value: object, place: int) -> Message:
    if isinstance(value, Message):
        return value
    role, content = _field(value, "role"), _field(value, "content")
    if not isinstance(role, str) or not role or not isinstance(content, (str, type(None))):
        raise InputError(f"Message {place} needs a role and a text as its content: {{'role': 'user', 'content': '…'}}.")
    thinking, tool_name, tool_call_id = (_field(value, name) for name in ("thinking", "tool_name", "tool_call_id"))
    return Message(
        role,
        content or "",
        thinking if isinstance(thinking, str) else "",
        tool_calls=_calls(_field(value, "tool_calls"), place),
        tool_name=tool_name if isinstance(tool_name, str) else "",
        tool_call_id=tool_call_id if isinstance(tool_call_id, str) else "",
        images=images_from(_field(value, "images"), place),
    )


def _calls(value: object, place: int) -> tuple[ToolCall, ...]:
    """Read the calls of a message, as dicts or as ollama-python has them."""
    if not isinstance(value, (list, tuple, type(None))):
        raise InputError(f"Message {place}: tool_calls is a list of calls, not {_kind(value)}.")
    listed = value or ()
    calls = calls_from([one.model_dump() if hasattr(one, "model_dump") else one for one in listed])
    for call in calls:
        if call.problem:
            raise InputError(f"Message {place} has a tool call that cannot be sent: {call.problem}.")
    return calls


def _field(value: object, name: str) -> Any:
    return value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)


def _written(value: object) -> str:
    try:
        return value if isinstance(value, str) else json.dumps(value, default=plain_number)
    except (TypeError, ValueError):
        raise InputError(f"An option is a number, a text or a list of texts, not {_kind(value)}.") from None


def _kind(value: object) -> str:
    return one_line(type(value).__name__, 40)
