"""The mark of a tool: whatever way it is made, a tool that asks first asks first."""

from __future__ import annotations

import functools

import numpy as np
import pytest

import ollama_magic
from ollama_magic.errors import InputError
from ollama_magic.tools.marks import asks_first


def remove(name: str) -> str:
    """Remove a file."""
    return name


class Shop:
    """Methods of each kind, marked outside of what makes them one."""

    @ollama_magic.tool(confirm=True)
    def sell(self) -> None:
        """Sell."""

    @ollama_magic.tool(confirm=True)
    @staticmethod
    def open() -> None:
        """Open."""

    @ollama_magic.tool(confirm=True)
    @classmethod
    def close(cls) -> None:
        """Close."""

    @ollama_magic.tool(confirm=True)
    def __call__(self) -> None:
        """Buy."""


@pytest.mark.parametrize(
    "tool",
    [
        Shop().sell,
        Shop.open,
        Shop().open,
        Shop.close,
        Shop(),
        functools.partial(Shop()),
        functools.partial(Shop().sell),
        ollama_magic.tool(confirm=True)(functools.partial(remove)),
        ollama_magic.tool(confirm=np.True_)(lambda: None),
        ollama_magic.tool(confirm="yes")(lambda: None),
    ],
)
def test_a_mark_is_never_lost(tool) -> None:
    """A tool runs unasked only if nobody has said otherwise."""
    assert asks_first(tool)


@pytest.mark.parametrize("tool", [remove, Shop, functools.partial(remove), len, ollama_magic.tool(lambda: None)])
def test_others_are_run_unasked(tool) -> None:
    """A class whose objects ask first is itself no such tool."""
    assert not asks_first(tool)


@pytest.mark.parametrize("function", [len, int, 5])
def test_what_cannot_be_marked_is_one_line(function) -> None:
    """A function that Python does not let anybody mark needs one around it."""
    with pytest.raises(InputError, match="cannot be marked as a tool; write a function of yours that calls it"):
        ollama_magic.tool(confirm=True)(function)
