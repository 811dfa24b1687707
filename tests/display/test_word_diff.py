"""What changed between two answers: by words within paragraphs."""

from __future__ import annotations

import pytest

from ollama_magic.display.answer_diff import diff_view
from ollama_magic.display.word_diff import compare
from ollama_magic.turns.turn_value import RequestSettings, Turn

CODE = "```python\ndef hi():\n\n    return {}\n```"


def marked(old: str, new: str) -> str:
    """The text form without its title."""
    return diff_view(1, Turn("p", new), Turn("p", old)).text.split("\n\n", 1)[1]


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        ("The sky is blue.", "The sky is grey.", "The sky is [-blue-]{+grey+}."),
        ("a b c d e f", "a b X Y e f", "a b [-c d-]{+X Y+} e f"),
        ("one two three four", "one two three four five", "one two three four{+ five+}"),
        ("one\n\ntwo words", "one\n\ninserted paragraph\n\ntwo words", "one\n\n{+inserted paragraph+}\n\ntwo words"),
        ("apples and pears", "seventeen ships sail", "[-apples and pears-]\n\n{+seventeen ships sail+}"),
        ("这是一个例子。", "这是两个例子。", "这是[-一-]{+两+}个例子。"),
        (CODE.format(1), CODE.format(2), CODE.format("[-1-]{+2+}")),
        ("", "something", "{+something+}"),
        ("something", "", "[-something-]"),
        ("first thing\n\nsecond thing here", "second thing there", "[-first thing-]\n\nsecond thing [-here-]{+there+}"),
    ],
)
def test_changes_are_marked_by_words(old: str, new: str, shown: str) -> None:
    """Words, characters of CJK text, paragraphs and code: what was deleted and inserted is marked, without colours."""
    assert marked(old, new) == shown


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a\n\nb\n\n" * 3, "b\n\nc d e\n\n" * 4),
        ("word " * 5000, "word " * 4999 + "other"),
        ("x\n" * 3000, "y\n" * 3000),
        ("same\n\n" * 30_000, "same\n\n" * 30_001),
        ("\n\n".join(f"p{n} a b c" for n in range(300)), "\n\n".join(f"q{n} a b c" for n in range(300))),
    ],
)
def test_both_texts_are_in_it(old: str, new: str) -> None:
    """Whatever the texts and their sizes, what is not inserted is the old text and what is not deleted the new one."""
    found = compare(old, new)
    for left_out, text in (("inserted", old), ("deleted", new)):
        pieces = "".join(piece.text for paragraph in found for piece in paragraph.pieces if piece.kind != left_out)
        assert "".join(pieces.split()) == "".join(text.split())


def test_html() -> None:
    """Insertions and deletions are `ins` and `del`, everything is escaped, and many unchanged paragraphs are folded."""
    same = "\n\n".join(f"paragraph {n}" for n in range(5))
    old = Turn("p", f"{same}\n\n<b>old</b> <script>x</script> & more", settings=RequestSettings("one"))
    new = Turn("q", f"{same}\n\n<b>new</b> <script>x</script> & more\nof it", settings=RequestSettings("two"))
    view = diff_view(3, new, old)
    title = "Turn 3 and the answer it replaced · 1 word deleted, 3 inserted · one → two · another prompt"
    assert f"<strong>{title}</strong>" in view.html
    assert "<summary><small>5 paragraphs unchanged</small></summary><p>paragraph 0</p>" in view.html
    changed = "&lt;b&gt;<del>old</del><ins>new</ins>&lt;/b&gt; &lt;script&gt;x&lt;/script&gt; &amp; more"
    assert f"<p>{changed}<ins><br>of it</ins></p>" in view.html
    assert "\n\n… 5 paragraphs unchanged\n\n" in view.text
