"""Foreign strings: what hides, steers or escapes is shown or gone; what people write stays."""

from __future__ import annotations

import pytest

from ollama_magic.foreign import one_line, printable, repaired, visible, without_controls

CONTROLS = [chr(code) for code in [*range(0x20), *range(0x7F, 0xA0)] if chr(code) not in "\n\t"]


@pytest.mark.parametrize("char", CONTROLS)
def test_no_control_reaches_a_terminal(char: str) -> None:
    """Of all control characters only newline and tab are printed."""
    shown = printable(f"a{char}b\n\tc")
    assert char not in shown
    assert shown.endswith("\n\tc")
    assert char not in without_controls(f"a{char}b")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;http://a.b\x1b\\click\x1b]8;;\x1b\\", "click"),
        ("\x9b2Jtext \x9d0;x\x9c!", "text !"),
        ("50%\r\ndone\rover", "50%\ndone\nover"),
    ],
)
def test_terminal_escapes_vanish(text: str, shown: str) -> None:
    """A terminal escape goes as a whole, the words around it stay."""
    assert printable(text) == shown


@pytest.mark.parametrize(
    "code", [0x202E, 0x2066, 0x200F, 0x061C, 0x200B, 0xAD, 0x2060, 0xFEFF, 0x3164, 0xE0041, 0xE0100, 0xFE01]
)
def test_what_hides_or_steers_is_shown(code: int) -> None:
    """Bidi controls and invisible characters become marks with their number."""
    assert visible(f"user{chr(code)}name") == f"user⟨U+{code:04X}⟩name"


@pytest.mark.parametrize(
    "text",
    [
        "👩‍💻 👨‍👩‍👧 🏳️‍🌈 ❤️ 1️⃣ #️⃣ ☎︎",
        "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
        "می‌خواهم",
        "ශ්‍රී क्‍ष",
        "école 日本語 한국어",
    ],
)
def test_what_people_write_stays(text: str) -> None:
    """Emoji sequences and joiners inside words of the scripts that need them are left alone."""
    assert visible(text) == text


@pytest.mark.parametrize(
    "text", ["a\u200db", "😀\u200dadmin", "🏴\U000e0068\U000e0069\U000e007f", "x\ufe0f", "می\u200c "]
)
def test_joiners_elsewhere_are_shown(text: str) -> None:
    """A joiner, a selector or a tag that does no visible work is marked."""
    assert "⟨U+" in visible(text)


def test_stacked_marks_are_cut_down() -> None:
    """Hundreds of combining marks on one letter are cut down to eight and counted."""
    assert visible("Z" + "\u0334" * 100 + "!") == "Z" + "\u0334" * 8 + "⟨92 more marks⟩!"


def test_surrogates_are_repaired() -> None:
    """Two halves of a character are joined; a lone half becomes the replacement character."""
    assert repaired("\ud83d\ude00 \ud83d") == "😀 \ufffd"
    assert repaired("plain é") == "plain é"


def test_settled_text_keeps_bidi() -> None:
    """The settled text loses control characters alone: it is read back."""
    assert without_controls("a\x00\x1b\u202eb\tc\r\nd") == "a\u202eb\tc\nd"


def test_one_line_is_one_line() -> None:
    """An error text fits on one line, within its limit."""
    assert one_line("  first\r\nsecond\u2028third\x0b\x85 ") == "first second third"
    assert one_line("\x1b[31mmodel\u202e\x1b[0m") == "model⟨U+202E⟩"
    assert len(one_line("long " * 1000)) == 300
    assert one_line("long " * 1000, limit=10) == "long long…"
