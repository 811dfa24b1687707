"""The live view, without a page: what its widgets hold, and what they send."""

from __future__ import annotations

import random

import pytest

from ollama_magic.conversation.reply import RUNNING, STOPPED
from ollama_magic.display import live
from ollama_magic.display.blocks import GROUP
from ollama_magic.display.host import Request
from ollama_magic.display.slot import KEPT_TURNS, KeptOpen, kept_open
from ollama_magic.markdown.renderer import MarkdownRenderer
from tests.display.replies import HTML, TEXT, WIDGET, RecordedSlot, a_reply, leaves, page

ANSWER = "".join(f"## Part {n}\n\nSome *text* with $x_{n}$ and `code`.\n\n- a\n- b\n\n" for n in range(40))


def begun(reply=None, **options):
    view = live.LiveView(RecordedSlot(), **options)
    reply = reply or a_reply()
    view.begin(reply, lambda: None)
    return view, reply


def fed(view, reply, text, pieces=7):
    dice = random.Random(pieces)
    while text:
        size = dice.randint(1, pieces)
        reply.text_parts.append(text[:size])
        text = text[size:]
        view.show(reply)


def bare(html):
    return html.replace("<i hidden></i>", "").removesuffix("<i hidden>")


@pytest.mark.usefixtures("shell")
def test_the_first_bundle():
    """The slot opens with a widget and one sentence that says how to get the answer."""
    view, _ = begun()
    bundle, metadata = view.slot.shown[0]
    assert bundle[WIDGET]["model_id"] == view.root.model_id
    assert "run this cell again" in bundle[TEXT]
    assert metadata["ollama_magic"] == {
        "slot": "cell/1", "conversation": "main", "model": "gemma3:1b", "state": RUNNING,
    }  # fmt: skip


@pytest.mark.usefixtures("shell")
def test_ends_as_one_render():
    """However the answer came in, its blocks hold what one render of the whole text holds."""
    view, reply = begun()
    fed(view, reply, ANSWER)
    reply.state = "complete"
    view.finish(reply)
    answer = view._answer.box
    blocks = [bare(leaf.value) for leaf in leaves(answer) if leaf.value]
    inner = "".join(block.partition(">")[2].removesuffix("</div>") for block in blocks)
    assert inner == MarkdownRenderer().render(ANSWER).html
    assert "Part 39" in view.slot.last[HTML]
    assert view.slot.last[TEXT] == ANSWER


@pytest.mark.usefixtures("shell")
def test_small_groups():
    """No box holds many children, so that a new one re-sends little."""
    view, reply = begun()
    fed(view, reply, ANSWER * 3, 40)
    groups = view._answer.box.children
    assert len(groups) > 2
    assert max(len(group.children) for group in groups) <= 2 * GROUP


@pytest.mark.usefixtures("shell")
def test_what_stands_is_not_sent_again():
    """Only the last block of the tail is sent as it grows; what merges with it after all is shown once."""
    view, reply = begun()
    for part in ("- one\n", "- two\n\n", "1"):
        reply.text_parts.append(part)
        view.show(reply)
    shown = [leaf for leaf in leaves(view._answer.box) if leaf.value]
    assert ["two" in leaf.value for leaf in shown] == [True, False]
    before = view._kit.sent
    reply.text_parts.append("2 words")
    view.show(reply)
    assert view._kit.sent == before + 1
    reply.text_parts.append("\n\n   more\n")
    view.show(reply)
    assert page(view._answer.box).count("two") == page(view._answer.box).count("12 words") == 1


@pytest.mark.usefixtures("shell")
def test_a_tail_that_turns_out_to_go_on():
    """A line that looked like a new block and continues the list joins it, and nothing stands there twice."""
    view, reply = begun()
    for part in ("one\n", "=", "==\n", "- two\n\n", " ", " ", "three"):
        reply.text_parts.append(part)
        view.show(reply)
    shown = [leaf.value for leaf in leaves(view._answer.box) if leaf.value]
    assert ["<h1>one" in value for value in shown] == [True, False]
    assert "two" in shown[1]
    assert "three" in shown[1]


@pytest.mark.usefixtures("shell")
def test_a_list_grows_item_by_item():
    """Of a long list only the last item is sent as it grows; the two parts stand as one list."""
    view, reply = begun()
    for part in ("1. one\n2. two\n", "3. th", "ree"):
        reply.text_parts.append(part)
        view.show(reply)
    first, last = [leaf.value for leaf in leaves(view._answer.box) if leaf.value]
    assert "<li>two\n</li>\n</ol>" in first
    assert "<ol start=3>\n<li>three\n</li>\n</ol>" in last


@pytest.mark.usefixtures("shell")
def test_blocks_refer_to_nothing():
    """A block is one comm: no Layout, no style, nothing that a page loaded in mid-answer would have to know first."""
    import ipywidgets

    before = len(ipywidgets.widgets.widget._instances)
    view, reply = begun()
    fed(view, reply, ANSWER, 40)
    blocks = leaves(view._answer.box)
    assert len(blocks) > 40
    assert all("IPY_MODEL" not in str(block.get_state()) for block in blocks)
    assert len(ipywidgets.widgets.widget._instances) - before <= len(blocks) * 1.25 + 10


@pytest.mark.usefixtures("shell")
def test_math_is_typeset_when_frozen():
    """Finished blocks with math are in widgets that typeset; the tail and the others are not."""
    view, reply = begun()
    fed(view, reply, "Plain.\n\nWith $x$.\n\nTail $y$\nand on", 3)
    names = {type(leaf).__name__ for leaf in leaves(view._answer.box) if "With" in leaf.value}
    assert names == {"HTMLMath"}
    assert {type(leaf).__name__ for leaf in leaves(view._answer.box) if "Plain" in leaf.value} == {"HTML"}
    assert {type(leaf).__name__ for leaf in leaves(view._answer.box) if "Tail" in leaf.value} == {"HTML"}


@pytest.mark.usefixtures("shell")
def test_a_late_link_definition():
    """A definition that comes late mends the block that waited for it."""
    view, reply = begun()
    fed(view, reply, "See [here].\n\nMore.\n\nMore.\n\n[here]: https://example.org\n\nEnd of it.\n\nDone", 5)
    assert 'href="https://example.org"' in page(view._answer.box)


@pytest.mark.usefixtures("shell")
def test_quiet_updates_send_nothing():
    """A paint that finds nothing new sends no message."""
    view, reply = begun()
    fed(view, reply, "Hello")
    sent = view._kit.sent
    view.show(reply)
    assert view._kit.sent == sent


@pytest.mark.usefixtures("shell")
def test_the_pause_grows_with_the_tail():
    """One giant list is sent less often: at most 120 kB of it a second."""
    view, reply = begun()
    reply.text_parts.append(f"- {'item ' * 20}\n" * 700)
    assert view.show(reply) >= view._answer.tail_bytes / 120_000
    assert view._answer.tail_bytes > 60_000


@pytest.mark.usefixtures("shell")
def test_messages_are_rationed():
    """A view that rests as long as it says sends at most sixty messages in any second."""
    view, reply = begun()
    sent, now = [], 0.0
    for _ in range(100):
        before = view._kit.sent
        reply.text_parts.append("a $x$\n\nb\n\nc")
        rest = view.show(reply)
        sent.append((now, view._kit.sent - before))
        now += rest
    assert max(sum(more for then, more in sent if at <= then < at + 1) for at, _ in sent) <= 60


@pytest.mark.usefixtures("shell")
def test_thinking_stays_as_the_reader_left_it():
    """The section that a reader opened is never sent again while thinking grows, and settles unfolded."""
    view, reply = begun()
    reply.thinking_parts.append("First.\n\n")
    view.show(reply)
    toggle = view._thinking._toggle
    assert toggle.value is False
    toggle.value = True
    reply.thinking_parts.append("Second.\n\n")
    view.show(reply)
    assert view._thinking._toggle is toggle
    assert toggle.value is True
    reply.state = "complete"
    view.finish(reply)
    assert "<details open>" in view.slot.last[HTML]


@pytest.mark.usefixtures("shell")
def test_status_and_stop_go_at_once():
    """When an answer settles, status line and Stop are gone; the text stays open for pages that were reloaded."""
    view, reply = begun(background=True)
    fed(view, reply, "Hello")
    status = view._status
    reply.state = STOPPED
    view.finish(reply)
    assert [widget.comm is None for widget in status._row] == [False, True]
    assert "tokens/s" not in page(status.box)
    assert view.root.comm is not None
    assert "Hello" in page(view.root)
    assert "stopped" in page(view.root)


@pytest.mark.usefixtures("shell")
def test_stop_is_shown_where_it_works():
    """A blocking cell without subshells shows no Stop button; a background answer always does, and it stops."""
    blocking, _ = begun()
    assert len(blocking._status._row) == 1
    heard = []
    view = live.LiveView(RecordedSlot(), background=True)
    view.begin(a_reply(), lambda: heard.append(1))
    view._status._row[1].click()
    assert heard == [1]


@pytest.mark.usefixtures("shell")
def test_finished_blocks_are_announced():
    """One polite region announces finished blocks and never the tail."""
    view, reply = begun()
    fed(view, reply, "One finished paragraph.\n\nanother\nthat grows", 60)
    words = view._region.widget.value
    assert 'aria-live="polite"' in words
    assert "One finished paragraph." in words
    assert "another" not in words


def test_widgets_outlive_their_answer(shell):
    """The widgets of settled answers stay open until 50 later turns have settled, or their cell runs again."""
    closed = []
    kept = KeptOpen()
    for number in range(KEPT_TURNS + 2):
        kept.keep(Request(f"cell{number}", "one"), lambda number=number: closed.append(number))
    assert closed == [0, 1]
    kept.run_again(Request("cell7", "one"))
    assert closed == [0, 1]
    kept.run_again(Request("cell7", "two"))
    assert closed == [0, 1, 7]
    assert kept_open(shell) is kept_open(shell)


@pytest.mark.usefixtures("shell")
def test_closing_leaves_nothing():
    """Once its widgets are closed, an answer leaves no comm behind."""
    import ipywidgets

    before = set(ipywidgets.widgets.widget._instances)
    view, reply = begun(background=True)
    fed(view, reply, ANSWER, 60)
    reply.thinking_parts.append("Hm.")
    reply.state = "complete"
    view.finish(reply)
    assert set(ipywidgets.widgets.widget._instances) > before
    view._kit.close_all()
    assert set(ipywidgets.widgets.widget._instances) == before
