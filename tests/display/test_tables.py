"""Cards, tables, notices and the history."""

from __future__ import annotations

from ollama_magic.display.history import history_view
from ollama_magic.display.tables import BadgeCell, card, folded, notice, stacked, table, width
from tests.display.replies import HTML, TEXT
from tests.turns import a_turn


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
    return a_turn(prompt, text, state, "gemma3:1b", number=number, step=number)


def test_history():
    """The history numbers the turns, marks what is not complete, and holds prompts as text."""
    turns = [turn(1, "Hi <b>", "**Hello**", "complete"), turn(2, "And?", "So", "stopped")]
    bundle = history_view("main", turns)._repr_mimebundle_()
    assert bundle[HTML].count("<details>") == 2
    assert "<b>" not in bundle[HTML]
    assert "<strong>Hello</strong>" in bundle[HTML]
    assert "2. And? · gemma3:1b · stopped" in bundle[TEXT]


def test_a_lone_surrogate_is_replaced_in_the_history():
    """Half an emoji in a prompt or an answer, as users' data has it, is shown as a replacement character."""
    bundle = history_view("main", [turn(1, "half \ud83d", "also \udce9", "complete")])._repr_mimebundle_()
    for kind in (HTML, TEXT):
        assert bundle[kind].encode("utf8")
        assert "half \ufffd" in bundle[kind]


def test_badges():
    """Badges are framed by host styles alone, the loud ones strong and first; in a terminal they are words."""
    bundle = table(("can",), [(BadgeCell(("tools", "<x>"), ("cloud: leaves this machine",)),)])._repr_mimebundle_()
    framed = "<kbd><strong>cloud: leaves this machine</strong></kbd> <kbd>tools</kbd> <kbd>&lt;x&gt;</kbd>"
    assert framed in bundle[HTML].replace("&nbsp;", " ")
    assert "style" not in bundle[HTML]
    assert bundle[TEXT].splitlines()[1] == "cloud: leaves this machine, tools, <x>"


def test_long_tables_end():
    """Of ten thousand rows two hundred are shown, and then how many more there are."""
    bundle = table(("n",), [(number,) for number in range(10_000)])._repr_mimebundle_()
    assert bundle[HTML].count("<tr>") == 201
    assert bundle[TEXT].splitlines()[-2:] == ["199", "… 9,800 more"]
    assert "… 9,800 more" in bundle[HTML]
    assert "more" not in str(table(("n",), [(number,) for number in range(200)]))


def test_folded_texts():
    """A long text is folded in a notebook, shows its first lines in a terminal, and is never markup."""
    shown = folded("License", "\n\nOne <b>\n\nTwo\nThree $x$\n", lines=2)
    assert str(shown).splitlines() == ["License", "  One <b>", "  Two", "  …"]
    assert "One &lt;b&gt;\n\nTwo\nThree $x$</pre>" in shown.html
    assert "mathjax_ignore" in shown.html
    assert stacked(shown, notice("Done.")).text.endswith("…\n\nDone.")
