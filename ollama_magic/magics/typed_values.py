"""The values of answers that a cell binds: by `--into`, when they are valid; `{{name}}` writes them as JSON."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any

from ollama_magic.errors import InputError, TurnStopped

if TYPE_CHECKING:
    from ollama_magic.conversation.reply import Reply

_STRUCTURED = (dict, list, tuple, set, frozenset, enum.Enum)


def check_binding(options: Any) -> None:
    """Refuse a line whose `--into` has no value to bind, or none in time."""
    if options.into and options.format is None:
        raise InputError("--into binds the value of an answer with a format; add -f TYPE, or bind the Reply by --out.")
    check_names(options)
    if options.into and options.background:
        raise InputError("--into waits for the value; leave out --background, or bind the Reply by --out.")


def check_names(options: Any) -> None:
    """Refuse a line in which `--into` would replace at once what `--out` binds."""
    if options.into and options.into == options.out:
        raise InputError(f"--out and --into would both bind {options.into}; give one of them another name.")


class TypedValues:
    """What `--into` has bound in one notebook."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._bound: dict[str, object] = {}

    def bind(self, reply: Reply, options: Any) -> None:
        """Validate the answer and bind its value; AnswerInvalid fails the cell, and then nothing is bound.

        Plain JSON that nobody binds is not read.
        """
        if options.format is None or (options.format == "json" and not options.into):
            return
        try:
            value = reply.value
        except TurnStopped:
            raise
        except KeyboardInterrupt:
            raise TurnStopped("Stopped; the answer is complete, its value was not read.") from None
        if options.into:
            self._shell.user_ns[options.into] = self._bound[options.into] = value

    def written(self, value: object) -> str | None:
        """Return the JSON of a value that an answer was; None for any other."""
        from ollama_magic.answer_types.records import is_model, value_json

        structured = isinstance(value, _STRUCTURED) or hasattr(type(value), "__dataclass_fields__")
        ours = structured and any(value is one for one in self._bound.values())
        return value_json(value) if ours or is_model(value) else None
