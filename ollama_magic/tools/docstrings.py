"""What a docstring says about a function and its parameters, in Google's, NumPy's or Sphinx's style."""

from __future__ import annotations

import functools
import inspect
from dataclasses import dataclass, field
from typing import Any

from ollama_magic.answer_types.raw_schemas import EXTRA
from ollama_magic.errors import InputError


@dataclass(frozen=True)
class Documented:
    """A description, and the text and type of each parameter, as far as they are written."""

    description: str = ""
    texts: dict[str, str] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)


def documented(function: object) -> Documented:
    """Return what the docstring of a function says.

    Raises:
        InputError: There is a docstring, and the library that reads it is not installed.
    """
    text = _docstring(function)
    if not text:
        return Documented()
    try:
        import docstring_parser
    except ImportError:
        raise InputError(f"The docstring of a tool needs docstring-parser, which is not installed; {EXTRA}.") from None
    reader: Any = docstring_parser
    try:
        parsed = reader.parse(text)
    except Exception:  # noqa: BLE001 (a docstring may be anything: then it is the description as it stands)
        return Documented(text)
    parts = [part.strip() for part in (parsed.short_description, parsed.long_description) if part]
    texts = {one.arg_name: " ".join((one.description or "").split()) for one in parsed.params}
    types = {one.arg_name: one.type_name or "" for one in parsed.params}
    return Documented("\n\n".join(parts), texts, types)


def _docstring(function: Any) -> str:
    """Return the docstring of a function or a callable object; that of a type of Python says nothing of a call."""
    while isinstance(function, functools.partial):
        function = function.func
    text = inspect.getdoc(function)
    own = inspect.isroutine(function) or isinstance(function, type) or "__doc__" in vars(function)
    if not own:
        call = getattr(type(function), "__call__", None)  # noqa: B004 (its docstring is meant)
        text = inspect.getdoc(call) if inspect.isfunction(call) and call.__doc__ else inspect.getdoc(type(function))
    return text or ""
