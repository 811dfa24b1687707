"""Why a value is refused, in one line: which type, the first wrong place, what is wrong there."""

from __future__ import annotations

import io
import sys
from contextlib import contextmanager, redirect_stdout
from typing import TYPE_CHECKING, Any

from ollama_magic.errors import AnswerInvalid, InputError
from ollama_magic.foreign import message_of, one_line, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_NAME, _REASON = 60, 200  # characters
_VALUES = ("None", "True", "False", "Infinity")
_PRINTED = 2000  # characters of what a validator prints that are shown


def invalid(label: str, reason: str, place: str = "") -> AnswerInvalid:
    """Return the error of an answer that does not fit."""
    begin = f"The answer is no {one_line(label, _NAME)}: {place}{': ' if place else ''}"
    return AnswerInvalid(f"{begin}{_lowered(one_line(reason, _REASON)).rstrip('.')}. Its text is in `Reply.text`.")


def place_of(path: Sequence[object], value: object, at: str = "") -> str:
    """Write where something is wrong, such as `cities[2].population`.

    Args:
        path: Keys and indices from the outside in; names that the value does not have, but for a last one that is
            missing, are those of alternatives of a type, and are left out.
        value: What was read.
        at: Where the value stands itself.
    """
    written = at
    for depth, step in enumerate(path, 1):
        found, inner = _inside(value, step)
        missing = isinstance(value, dict) and isinstance(step, str) and depth == len(path)
        if found or missing:
            written += _step(step)
            value = inner
    return written.removeprefix(".")


@contextmanager
def held(label: str) -> Iterator[None]:
    """Run a type's own code: what it raises becomes one line, what it prints is shown behind it, and no more of it."""
    printed = io.StringIO()
    try:
        with redirect_stdout(printed):
            yield
    except (AnswerInvalid, InputError):
        raise
    except (Exception, SystemExit) as error:
        why = f"{type(error).__name__}: {message_of(error)}".rstrip(": ")
        raise invalid(label, f"its own code failed with {why}") from error
    finally:
        sys.stdout.write(printable(printed.getvalue()[:_PRINTED]))


def _inside(value: Any, step: object) -> tuple[bool, Any]:
    if isinstance(value, dict) and step in value:
        return True, value[step]
    if isinstance(value, list) and isinstance(step, int) and -1 < step < len(value):
        return True, value[step]
    return False, value


def _step(step: object) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    text = one_line(str(step), _NAME)
    return f".{text}" if text.isidentifier() else f"[{text!r}]"


def _lowered(text: str) -> str:
    """Return a sentence as it goes on behind a colon; a value that it begins with, such as None, stays as it is."""
    first = text.partition(" ")[0]
    return text[:1].lower() + text[1:] if first not in _VALUES and first[1:] == first[1:].lower() else text
