"""The style sheets and the script that go along with a live answer and a panel."""

from __future__ import annotations

from importlib.resources import files

import pytest
import tinycss2

from ollama_magic.display.styles import short_script, style_element

SHEETS = [
    f"{room}/{path.name}" for room in ("display", "panel") for path in files(f"ollama_magic.{room}").iterdir()
    if path.name.endswith(".css")
]  # fmt: skip


def rules(css):
    return tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True)


def spaceless(nodes):
    return "".join(tinycss2.serialize(nodes).split())


@pytest.mark.parametrize("sheet", SHEETS)
def test_a_short_style_sheet_says_the_same(sheet):
    """What is sent has every rule of the file, in its order, and no comment."""
    text = files("ollama_magic").joinpath(sheet).read_text("utf8")
    short = style_element(sheet).removeprefix("<style>").removesuffix("</style>")
    assert "/*" not in short
    assert len(short) < len(text)
    assert [spaceless([rule]) for rule in rules(short)] == [spaceless([rule]) for rule in rules(text)]


@pytest.mark.parametrize("sheet", SHEETS)
def test_style_sheets_style_nothing_else(sheet):
    """Every rule names a class of ours, so that the page around our widgets stays as it is."""
    todo = rules(files("ollama_magic").joinpath(sheet).read_text("utf8"))
    while todo:
        rule = todo.pop()
        assert rule.type != "error", rule.message
        if rule.type == "at-rule":
            todo += tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True)
        else:
            selectors = tinycss2.serialize(rule.prelude)
            assert "ollama-" in selectors, selectors


def test_the_script_is_one_line():
    """The panel's script fits into an attribute: one line, and no comment that would swallow the rest."""
    script = short_script("panel/panel.js")
    assert "\n" not in script
    assert "//" not in script
    assert script.endswith("(this);")
