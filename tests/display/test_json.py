"""JSON answers on the screen: laid out while they grow, coloured, and inert whatever stands in them."""

import json
import re
from pathlib import Path

import pytest

from ollama_magic.conversation.reply import AS_JSON, AS_TEXT
from ollama_magic.display.document import document_html, growing_document
from ollama_magic.display.json_text import GrowingJson, laid_out
from ollama_magic.display.settled import bundle, plain_text
from ollama_magic.display.updating import UpdatingView
from tests.display.replies import HTML, RecordedSlot, a_reply, ended

HOSTILE = [
    json.loads(line)
    for line in (Path(__file__).parent.parent / "hostile" / "markdown.jsonl").read_text(encoding="utf8").splitlines()
]
VALUES = [
    {},
    [],
    [[], {}],
    {"a": 1, "b": [True, None, -1.5e3, "x, y: {z}"], "c": {"d": 'quote " and \\ and \n end'}},
    ["```", "\n```\n<b>", "~~~", "é 漢 😀"],
    "a text alone",
    12,
]


def paints(text, pieces, form=AS_JSON):
    """All HTML of a document that is fed in these pieces."""
    document = growing_document(ended(form=form))
    frozen = []
    for piece in pieces:
        document.feed(piece)
        frozen += document.update().frozen
    last = document.finish()
    return "".join(block.html for block in [*frozen, *last.frozen, last.tail])


def text_of(html):
    return re.sub("<[^>]*>", "", html).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


@pytest.mark.parametrize("value", VALUES)
def test_json_is_laid_out_as_python_lays_it_out(value):
    """Two spaces a level, a space behind each colon, empty brackets closed: however it was spaced before."""
    wanted = json.dumps(value, indent=2, ensure_ascii=False)
    for text in (json.dumps(value, ensure_ascii=False), wanted, json.dumps(value, indent=7, ensure_ascii=False)):
        assert laid_out(text) == wanted


@pytest.mark.parametrize("value", VALUES)
def test_the_cut_of_the_pieces_does_not_matter(value):
    """Any cut of a text into two, and letters one by one, end in the same layout."""
    text = json.dumps(value, indent=1)
    for at in range(len(text)):
        growing_json = GrowingJson()
        assert growing_json.feed(text[:at]) + growing_json.feed(text[at:]) + growing_json.finish() == laid_out(text)
    letters = GrowingJson()
    assert "".join(map(letters.feed, text)) + letters.finish() == laid_out(text)


@pytest.mark.parametrize(
    "text",
    ["Sure! Here it is: {}", "```json\n{}\n```", "No, not JSON", "a b  c", "# Title", "1 2", '"open\nline', "x: [1]"],
)
def test_what_is_no_json_stands_as_it_came(text):
    """A text that was to be JSON and is none loses no letter and no space."""
    assert laid_out(text) == text


def test_tokens_are_never_changed():
    """Numbers keep their digits, names that stand twice stay, escapes stay escapes."""
    text = '{"a":1.00,"a":1e400,"b":"\\u00e9\\/"}'
    assert laid_out(text) == '{\n  "a": 1.00,\n  "a": 1e400,\n  "b": "\\u00e9\\/"\n}'


@pytest.mark.parametrize("text", ["[" * 50_000, "[" * 40 + "1," * 25_000, '{"a":' * 20_000])
def test_a_deep_text_stays_small(text):
    """A text of brackets grows no more than some times, and what is behind that stands as it came."""
    laid = laid_out(text)
    assert len(laid) < 8 * len(text)
    assert "".join(laid.split()) == text
    letters = GrowingJson()
    assert "".join(map(letters.feed, text)) + letters.finish() == laid


@pytest.mark.parametrize("value", VALUES)
def test_a_growing_answer_ends_as_the_settled_one(value):
    """What is shown letter by letter, and what stays in the file, say the same."""
    text = json.dumps(value, ensure_ascii=False)
    settled = bundle(ended(text, form=AS_JSON))[HTML]
    live = text_of(paints(text, list(text)))
    assert live.strip() == laid_out(text)
    assert live.strip() in text_of(settled)


def test_the_plain_text_is_the_answer_as_it_came():
    """The layout is for the eye: text/plain, the store and `Reply.text` keep what the server said."""
    reply = ended('{"a":1}', form=AS_JSON)
    assert plain_text(reply) == reply.text == '{"a":1}'
    assert reply.json() == {"a": 1}


def test_a_gap_is_shown_as_code():
    """What fills a gap is no Markdown: underscores and indents stay."""
    html = bundle(ended("    __init__ *x*\n```\n# no title", form=AS_TEXT))[HTML]
    assert "    __init__ *x*\n```\n# no title" in text_of(html)
    assert "<h1" not in html
    assert "<em" not in html


@pytest.mark.parametrize("text", ["if x:\n    ", "    ", "\n\t", "a\n"])
def test_a_gap_keeps_its_last_indent(text):
    """The blanks at the end stand before the suffix, so they stay, however the text came."""
    assert paints(text, list(text), AS_TEXT) == document_html(text, AS_TEXT)


@pytest.mark.parametrize("text", [case["text"] for case in HOSTILE if "text" in case])
@pytest.mark.parametrize("quoted", [True, False])
def test_hostile_texts_are_inert_as_json(text, quoted):
    """Raw or as a string of a JSON answer, no text brings a tag of its own, live or settled."""
    answer = json.dumps({"text": text}, ensure_ascii=False) if quoted else text
    for form in (AS_JSON, AS_TEXT):
        live = paints(answer, [answer[at : at + 7] for at in range(0, len(answer), 7)], form)
        settled = bundle(ended(answer, form=form))[HTML]
        for html in (live, settled):
            tags = set(re.findall(r"<[^>]*>", html))
            assert {
                tag
                for tag in tags
                if not re.fullmatch(r"</?(div|pre|span|p|small|strong)( class=\S+)?>|<div class=\"[^\"]*\">", tag)
            } == set()


def test_the_views_show_json_as_code_while_it_streams():
    """Where a slot is updated instead of a widget, half an answer stands laid out in a code block already."""
    reply = a_reply('{"a": [1, "<b>x', form=AS_JSON)
    slot = RecordedSlot()
    view = UpdatingView(slot)
    view.begin(reply, lambda: None)
    view.show(reply)
    html = slot.last[HTML]
    assert "<div class=highlight><pre>" in html
    assert '"&lt;b&gt;x' in html or "&lt;b&gt;x" in html
    assert "<b>" not in html


def test_a_single_answer_says_so_in_its_footer():
    """Under `%%generate` stands that it is a single answer, not how many turns were sent."""
    assert "gemma3:1b · a single answer" in bundle(ended("Hi", kind="generate", turns_sent=0))[HTML]
