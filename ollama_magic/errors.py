"""The errors of the package: each is one line that says what happened and what to do next.

    OllamaMagicError
    ├── InputError         an invalid option, name or value
    ├── ServerUnreachable  no server answers at the address
    ├── ModelNotFound      the server has no such model
    ├── ServerError        the server refused the request, or its answer broke off
    ├── AnswerCut          the stream ended without its end mark
    ├── AnswerInvalid      the answer is complete, and no value of the format that was asked for
    └── StoreError         the conversation could not be saved
    TurnStopped            the user stopped the turn: a KeyboardInterrupt, so that queued cells are aborted

Every module may import this one, which depends on IPython only for colours.
"""

from __future__ import annotations

from typing import Literal

# The known kinds of server errors; what to do about one depends on its kind, not on its text.
ServerErrorKind = Literal[
    "other",
    "model_missing",
    "not_in_registry",
    "registry",
    "download",
    "disk_full",
    "outdated",
    "architecture",
    "memory",
    "load_timeout",
    "runner_ended",
    "context_window",
    "no_generate",
    "no_embeddings",
    "no_insert",
    "no_raw",
    "no_thinking",
    "no_tools",
    "tool_call",
    "no_vision",
]


class OllamaMagicError(Exception):
    """An error that one readable line explains."""

    def _render_traceback_(self) -> list[str]:
        """IPython asks for this instead of a traceback (design.md §5)."""
        _end_at_the_user(self)
        name = type(self).__name__
        return [f"\x1b[31m{name}\x1b[0m: {self}" if _coloured() else f"{name}: {self}"]


class InputError(OllamaMagicError):
    """An invalid option, name or value."""


class ServerUnreachable(OllamaMagicError):
    """No server answers at the address."""


class ModelNotFound(OllamaMagicError):
    """The server has no model of that name."""


class ServerError(OllamaMagicError):
    """The server refused the request, or its answer broke off.

    Args:
        message: The one line to show.
        status: The HTTP status; None in the middle of a stream.
        kind: The kind of error.
    """

    def __init__(self, message: str, status: int | None = None, kind: ServerErrorKind = "other") -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.retry_after: float | None = None  # seconds that the server asked to wait


class AnswerCut(OllamaMagicError):
    """The stream ended without its end mark.

    Args:
        message: The whole line.
        why: The line without the words that the answer was cut, for a place that says so already.
    """

    def __init__(self, message: str, why: str = "") -> None:
        super().__init__(message)
        self.why = why or message

    @staticmethod
    def because(why: str) -> AnswerCut:
        """Return the error for an answer that was cut."""
        return AnswerCut(f"The answer was cut: {why}", why)


class AnswerInvalid(OllamaMagicError):
    """The answer is no value of the format that was asked for; its text is in the Reply."""


class StoreError(OllamaMagicError):
    """The conversation could not be saved."""


class TurnStopped(KeyboardInterrupt):
    """The user stopped the turn; the text so far is saved."""

    def _render_traceback_(self) -> list[str]:
        _end_at_the_user(self)
        return [str(self)]


def _end_at_the_user(error: BaseException) -> None:
    """End the traceback at the user's own frame, for `%pdb on`, `%debug` and `%tb`."""
    found, last = error.__traceback__, None
    while found is not None:
        if not found.tb_frame.f_globals.get("__name__", "").startswith(("ollama_magic", "IPython.")):
            last = found
        found = found.tb_next
    if last is not None:
        last.tb_next = None


def _coloured() -> bool:
    """Whether IPython uses colours (`--colors=nocolor`, `%colors`)."""
    from IPython import get_ipython

    return str(getattr(get_ipython(), "colors", "")).lower() != "nocolor"
