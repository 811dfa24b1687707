"""What became of one row: its answer, its value, or why there is none; and the public row that a map yields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from ollama_magic.errors import AnswerInvalid, OllamaMagicError
from ollama_magic.foreign import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ollama_magic.answer_types.answer_format import AnswerFormat

RowState = Literal["waiting", "complete", "failed"]
WAITING: Final = "waiting"
COMPLETE: Final = "complete"
FAILED: Final = "failed"
_NOT_READ: Final = ...  # one and the same in every process


class Outcome:
    """How one row ended; its value is read from the text when it is needed.

    Attributes:
        state: "complete" or "failed".
        text: The answer as it came.
        error: Why it failed, in one line; else "".
        tokens: Tokens of the answer, None if the server did not say.
        seconds: From sending the request to its end; of a saved answer, as it was then.
        cached: Whether the answer was in the store.
        reason: Why the model ended, as the server said.
    """

    __slots__ = ("_value", "cached", "error", "reason", "seconds", "state", "text", "tokens")

    def __init__(
        self,
        state: RowState,
        text: str = "",
        error: str = "",
        tokens: int | None = None,
        seconds: float = 0.0,
        *,
        cached: bool = False,
    ) -> None:
        self.state, self.text, self.error = state, text, error
        self.tokens, self.seconds, self.cached = tokens, seconds, cached
        self.reason: str | None = None
        self._value: object = _NOT_READ

    def remember(self, value: object) -> None:
        """Set the value that was read from the text."""
        self._value = value

    def found(self) -> Any:
        """Return what was remembered."""
        return self._value

    def value(self, answer_format: AnswerFormat[Any] | None) -> Any:
        """Return the value of a complete answer, its text without a format; None if there is none."""
        if self.state != COMPLETE:
            return None
        if answer_format is None:
            return self.text
        if self._value is _NOT_READ:
            try:
                self._value = answer_format.validate(self.text)
            except AnswerInvalid as error:
                self.state, self.error, self._value = FAILED, without_hint(str(error)), None
        return self._value


class MapRow:
    """One row of a map with its answer, as it is at this moment.

    Attributes:
        index: The position of the row, from 0.
        row: What the row holds, by column.
        value: The answer as a value of the format, as text without one; None if there is none.
        text: The answer as it came.
        state: "complete", "failed", or "waiting" while it is not answered.
        error: Why it failed, in one line; else "".
        tokens: Tokens of the answer, None if unknown.
        seconds: From sending the request to its end.
        model: The model that was asked.
        cached: Whether the answer was saved before and not asked for.
    """

    __slots__ = ("cached", "error", "index", "model", "row", "seconds", "state", "text", "tokens", "value")

    def __init__(
        self,
        index: int,
        row: Mapping[str, Any],
        outcome: Outcome | None,
        model: str,
        answer_format: AnswerFormat[Any] | None,
    ) -> None:
        outcome = outcome or Outcome(WAITING)
        self.index, self.row, self.model = index, row, model
        self.value: Any = outcome.value(answer_format)  # may find that it is none
        self.text, self.state, self.error = outcome.text, outcome.state, outcome.error
        self.tokens, self.seconds, self.cached = outcome.tokens, outcome.seconds, outcome.cached

    def __repr__(self) -> str:
        said = self.error if self.state == FAILED else repr(self.value) if self.state == COMPLETE else ""
        return printable(f"<row {self.index}: {self.state}{', ' * bool(said)}{said[:200]}>")


def without_hint(line: str) -> str:
    """Return the line about an invalid answer without where a single reply has its text."""
    return line.replace(" Its text is in `Reply.text`.", "")


def failed(error: OllamaMagicError | str, seconds: float = 0.0, text: str = "") -> Outcome:
    """Return the outcome of a row that failed."""
    return Outcome(FAILED, text, str(error), seconds=seconds)
