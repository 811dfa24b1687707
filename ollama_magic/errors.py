"""The family of errors: each is one sentence, what happened and what to do next.

    OllamaMagicError
    ├── InputError         what was typed cannot be done: an option, a name, a value
    ├── ServerUnreachable  nobody answers at the address
    ├── ModelNotFound      the server has no such model
    ├── ServerError        the server answered, and refused or broke off
    ├── AnswerCut          the stream ended without its end mark
    └── StoreError         the conversation could not be kept
    TurnStopped            the user stopped the turn: a KeyboardInterrupt, so that queued cells are aborted

This room is known by all and knows nothing but whether IPython colours.
"""

from __future__ import annotations


class OllamaMagicError(Exception):
    """Something went wrong that one readable line can explain."""

    def _render_traceback_(self) -> list[str]:
        """IPython asks for this instead of a traceback (style.md §6)."""
        name = type(self).__name__
        return [f"\x1b[31m{name}\x1b[0m: {self}" if _coloured() else f"{name}: {self}"]


class InputError(OllamaMagicError):
    """What was typed cannot be done."""


class ServerUnreachable(OllamaMagicError):
    """Nobody answers at the address."""


class ModelNotFound(OllamaMagicError):
    """The server has no model of that name."""


class ServerError(OllamaMagicError):
    """The server answered, and refused or broke off; `status` is the HTTP status, or None in mid-stream."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class AnswerCut(OllamaMagicError):
    """The stream ended without its end mark."""


class StoreError(OllamaMagicError):
    """The conversation could not be kept."""


class TurnStopped(KeyboardInterrupt):
    """The user stopped the turn; the text so far is kept."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


def _coloured() -> bool:
    """Whether IPython colours what goes wrong: `--colors=nocolor`, `%colors`."""
    from IPython import get_ipython

    return str(getattr(get_ipython(), "colors", "")).lower() != "nocolor"
