"""Cards, tables, notices and the history."""

from __future__ import annotations

from ollama_magic.conversation.fold import Turn
from ollama_magic.display.history import history_view
from ollama_magic.display.tables import card, notice, table, width
from tests.display.replies import HTML, TEXT


def test_columns_are_aligned():
    """Plain text is aligned by the columns of a terminal, where Chinese characters take two."""
    shown = table(("name", "size"), [("gemma3:1b", "815 MB"), ("千问", "2 GB"), ("x", None)])
    lines = str(shown).splitlines()
    assert [width(line[: line.rindex("  ")]) for line in lines[:1]] == [9]
    assert lines == ["name       size", "gemma3:1b  815 MB", "千问       2 GB", "x"]


def test_cells_are_text():
    """What a server says of itself cannot bring markup, escapes or lines into a table."""
    shown = table(("a",), [("<b>x</b>\x1b[31m\ny",)])
    bundle = shown._repr_mimebundle_()
    assert "<b>" not in bundle[HTML]
    assert "\x1b" not in bundle[TEXT]
    assert len(bundle[TEXT].splitlines()) == 2


def test_cards():
    """A card is a title and its rows, in both kinds."""
    bundle = card("ollama_magic", [("server", "0.9"), ("model", "gemma3:1b")])._repr_mimebundle_()
    assert bundle[TEXT] == "ollama_magic\n  server  0.9\n  model   gemma3:1b"
    assert '<th><div align="left">server</div></th><td><div align="left">0.9</div></td>' in bundle[HTML]


def test_notices():
    """What stands between backticks is code in a notebook, and as typed in a terminal."""
    bundle = notice("Try `%ollama demo`.")._repr_mimebundle_()
    assert bundle[TEXT] == "Try `%ollama demo`."
    assert "<code>%ollama demo</code>" in bundle[HTML]


def turn(number, prompt, text, state):
    return Turn(number, "main", number, prompt, text=text, state=state, model="gemma3:1b")


def test_history():
    """The history numbers the turns, marks what is not complete, and holds prompts as text."""
    turns = [turn(1, "Hi <b>", "**Hello**", "complete"), turn(2, "And?", "So", "stopped")]
    bundle = history_view("main", turns)._repr_mimebundle_()
    assert bundle[HTML].count("<details>") == 2
    assert "<b>" not in bundle[HTML]
    assert "<strong>Hello</strong>" in bundle[HTML]
    assert "2. And? · gemma3:1b · stopped" in bundle[TEXT]
