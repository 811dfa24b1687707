"""What Tab offers behind `-t`: the notebook's own functions and the methods of its objects."""

from __future__ import annotations

import math
from typing import Any

import pytest

from ollama_magic.completion.tool_names import tool_names
from tests.tools import functions as given

VARIABLES: dict[str, Any] = {
    "weather": given.one_text,
    "shop": given.Shop(),
    "math": math,
    "hidden": given.two_numbers,
    "_private": given.two_numbers,
    "nameless": lambda city: city,
    "number": 5,
}


@pytest.mark.parametrize(
    ("typed", "offered"),
    [("", ["weather"]), ("we", ["weather"]), ("x", []), ("shop.", ["shop.prices"]), ("number.", []), ("gone.", [])],
)
def test_tab_offers_functions(typed: str, offered: list[str]) -> None:
    """Functions of the user's own, and behind a dot the methods of that object; nothing is called for it."""
    assert tool_names(typed, VARIABLES, {"hidden": None}) == offered
