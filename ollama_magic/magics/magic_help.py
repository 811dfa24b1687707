"""The docstrings of the magics, which `%%chat?` shows: made of the tables of options when somebody looks."""

from __future__ import annotations

from functools import update_wrapper
from types import MethodType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class _Magic:
    """A magic whose docstring is made on demand: the tables are large, and loading the extension must not wait."""

    def __init__(self, magic: Callable[..., Any], text: Callable[[], str]) -> None:
        update_wrapper(self, magic, assigned=("__module__", "__name__", "__qualname__"))
        self._magic, self._text = magic, text

    def __get__(self, magics: Any, owner: type | None = None) -> Any:
        return self if magics is None else MethodType(self, magics)

    def __call__(self, *arguments: Any) -> Any:
        return self._magic(*arguments)

    @property
    def __doc__(self) -> str:  # type: ignore[override]
        return self._text()


def on_demand(text: Callable[[], str]) -> Callable[[Callable[..., Any]], Any]:
    """Give a magic the docstring that `text` returns.

    Args:
        text: Called whenever the docstring is read.
    """
    return lambda magic: _Magic(magic, text)


def of_chat() -> str:
    """The help of `%%chat`."""
    from ollama_magic.line.turn_options import CHAT

    return CHAT.help()


def of_generate() -> str:
    """The help of `%%generate`."""
    from ollama_magic.line.turn_options import GENERATE

    return GENERATE.help()


def of_map() -> str:
    """The help of `%%map`."""
    from ollama_magic.line.map_options import MAP

    return MAP.help()


def of_ollama() -> str:
    """The help of `%ollama`."""
    from ollama_magic.commands.command_table import usage

    return usage()
