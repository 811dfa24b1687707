"""The live view, without a page: what its widgets hold, and what they send."""

from __future__ import annotations

import random
from time import monotonic

import pytest

from ollama_magic.conversation.reply import RUNNING, STOPPED
from ollama_magic.display import live
from ollama_magic.display.blocks import GROUP
from ollama_magic.display.host import Request
from ollama_magic.display.settled import bundle
from ollama_magic.display.slot import SETTLED_TURNS, OpenWidgets, open_widgets
from ollama_magic.markdown.renderer import MarkdownRenderer
from tests.display.replies import HTML, TEXT, WIDGET, RecordedSlot, a_reply, answer_of, found, leaves, page

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
    answer = answer_of(view)
    blocks = [bare(leaf.value) for leaf in leaves(answer) if leaf.value]
    inner = "".join(block.partition(">")[2].removesuffix("</div>") for block in blocks)
    assert inner == MarkdownRenderer().render(ANSWER).html
    assert "Part 39" in view.slot.last[HTML]
    assert view.slot.last[TEXT] == ANSWER


@pytest.mark.usefixtures("shell")
def test_settles_as_one_render():
    """The settled answer is one render of the whole text, also of a fence that was shown in parts while it grew."""
    text = (
        f"{ANSWER}\n```python\n" + "".join(f"x{n} = 'a'\n" for n in range(90)) + '"""\n```\n[a]\n\n[a]: http://h.x/\n'
    )
    view, reply = begun()
    fed(view, reply, text, 90)
    reply.state = "complete"
    view.finish(reply)
    once = bundle(reply, raised=True)[HTML]
    assert view.slot.last[HTML] == once
    view.refresh_settled(reply)
    assert view.slot.last[HTML] == once


@pytest.mark.usefixtures("shell")
def test_small_groups():
    """No box holds many children, so that a new one re-sends little."""
    view, reply = begun()
    fed(view, reply, ANSWER * 3, 40)
    box = answer_of(view)
    groups = [box, *(child for child in box.children if hasattr(child, "children"))]
    assert len(groups) > 2
    assert max(len(group.children) for group in groups) <= 2 * GROUP


@pytest.mark.usefixtures("shell")
def test_the_tail_of_a_fast_answer_waits():
    """What comes faster than anybody reads is shown by finished blocks; its tail follows, and nothing goes away."""
    view, reply = begun()
    reply.status.first_at = monotonic()
    for number in range(3):
        reply.text_parts.append(f"Block {number}.\n\nMiddle.\n\nThe tail")
        reply.status.chunks += 1_000
        view.show(reply)
        assert "tail" not in page(answer_of(view)).rpartition("Block")[2]
    view.show(reply)  # nothing more came: it is not fast any more
    assert page(answer_of(view)).count("The tail") == 3
    reply.text_parts.append(" grows.\n\nMore")
    reply.status.chunks += 1_000
    view.show(reply)
    assert "The tail grows." in page(answer_of(view))
    assert "More" in page(answer_of(view))


@pytest.mark.usefixtures("shell")
def test_what_stands_is_not_sent_again(sent):
    """Only the last block of the tail is sent as it grows; what merges with it after all is shown once."""
    view, reply = begun()
    for part in ("- one\n", "- two\n\n", "1"):
        reply.text_parts.append(part)
        view.show(reply)
    shown = [leaf for leaf in leaves(answer_of(view)) if leaf.value]
    assert ["two" in leaf.value for leaf in shown] == [True, False]
    before = len(sent)
    reply.text_parts.append("2 words")
    view.show(reply)
    assert len(sent) == before + 1
    reply.text_parts.append("\n\n   more\n")
    view.show(reply)
    assert page(answer_of(view)).count("two") == page(answer_of(view)).count("12 words") == 1


@pytest.mark.usefixtures("shell")
def test_a_tail_that_turns_out_to_go_on():
    """A line that looked like a new block and continues the list joins it, and nothing stands there twice."""
    view, reply = begun()
    for part in ("one\n", "=", "==\n", "- two\n\n", " ", " ", "three"):
        reply.text_parts.append(part)
        view.show(reply)
    shown = [leaf.value for leaf in leaves(answer_of(view)) if leaf.value]
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
    first, last = [leaf.value for leaf in leaves(answer_of(view)) if leaf.value]
    assert "<li>two\n</li>\n</ol>" in first
    assert "<ol start=3>\n<li>three\n</li>\n</ol>" in last


@pytest.mark.usefixtures("shell")
def test_blocks_refer_to_nothing():
    """A block is one comm: no Layout, no style, nothing that a page loaded in mid-answer would have to know first."""
    import ipywidgets

    before = len(ipywidgets.widgets.widget._instances)
    view, reply = begun()
    fed(view, reply, ANSWER, 40)
    blocks = leaves(answer_of(view))
    assert len(blocks) > 40
    assert all("IPY_MODEL" not in str(block.get_state()) for block in blocks)
    assert len(ipywidgets.widgets.widget._instances) - before <= len(blocks) * 1.25 + 10


@pytest.mark.usefixtures("shell")
def test_math_is_typeset_when_frozen():
    """Finished blocks with math are in widgets that typeset; the tail and the others are not."""
    view, reply = begun()
    fed(view, reply, "Plain.\n\nWith $x$.\n\nTail $y$\nand on", 3)
    names = {leaf._model_name for leaf in leaves(answer_of(view)) if "With" in leaf.value}
    assert names == {"HTMLMathModel"}
    assert {leaf._model_name for leaf in leaves(answer_of(view)) if "Plain" in leaf.value} == {"HTMLModel"}
    assert {leaf._model_name for leaf in leaves(answer_of(view)) if "Tail" in leaf.value} == {"HTMLModel"}


@pytest.mark.usefixtures("shell")
def test_finished_rows_are_typeset():
    """A formula in a finished row is typeset while the table grows; nothing of it is lost or doubled."""
    view, reply = begun()
    fed(view, reply, "Text.\n\n| a | b |\n|---|---|\n| x | $x_1$ |\n| y | gro", 3)
    shown = [leaf for leaf in leaves(answer_of(view)) if leaf.value]
    assert [leaf._model_name for leaf in shown] == ["HTMLModel", "HTMLMathModel", "HTMLModel"]
    assert "$x_1$" in shown[1].value
    assert "gro" in shown[2].value
    fed(view, reply, "wing |\n| z | $z_1$ |\n| t", 3)
    assert [("growing" in leaf.value, "$z_1$" in leaf.value) for leaf in leaves(answer_of(view)) if leaf.value] == [
        (False, False),
        (True, True),
        (False, False),
    ]
    fed(view, reply, "ail |\n\nEnd of it.\n\nDone", 3)
    assert sum("growing" in leaf.value for leaf in leaves(answer_of(view))) == 1
    assert (
        page(answer_of(view)).index("Text") < page(answer_of(view)).index("tail") < page(answer_of(view)).index("End")
    )


@pytest.mark.usefixtures("shell")
def test_a_late_link_definition():
    """A definition that comes late mends the block that waited for it."""
    view, reply = begun()
    fed(view, reply, "See [here].\n\nMore.\n\nMore.\n\n[here]: https://example.org\n\nEnd of it.\n\nDone", 5)
    assert 'href="https://example.org"' in page(answer_of(view))


@pytest.mark.usefixtures("shell")
def test_quiet_updates_send_nothing(sent):
    """A paint that finds nothing new sends no message."""
    view, reply = begun()
    fed(view, reply, "Hello")
    before = len(sent)
    view.show(reply)
    assert len(sent) == before


@pytest.mark.usefixtures("shell")
def test_the_pause_grows_with_the_tail(sent):
    """One giant list is sent less often: at most 120 kB of it a second."""
    view, reply = begun()
    reply.text_parts.append(f"- {'item ' * 20}\n" * 700)
    rest = view.show(reply)
    shown = sum(len(data.get("state", {}).get("value", "")) for _, data in sent[-4:])
    assert shown > 60_000
    assert rest >= 0.95 * shown / 120_000


@pytest.mark.usefixtures("shell")
def test_messages_are_rationed(sent):
    """A view that rests as long as it says sends at most sixty messages in any second."""
    view, reply = begun()
    paints, now = [], 0.0
    for _ in range(100):
        before = len(sent)
        reply.text_parts.append("a $x$\n\nb\n\nc")
        rest = view.show(reply)
        paints.append((now, len(sent) - before))
        now += rest
    assert max(sum(more for then, more in paints if at <= then < at + 1) for at, _ in paints) <= 60


@pytest.mark.usefixtures("shell")
def test_thinking_stays_as_the_reader_left_it():
    """The section that a reader opened is never sent again while thinking grows, and settles unfolded."""
    view, reply = begun()
    reply.thinking_parts.append("First.\n\n")
    view.show(reply)
    (toggle,) = found(view.root, "fold")
    assert toggle.value is False
    toggle.value = True
    reply.thinking_parts.append("Second.\n\n")
    view.show(reply)
    assert found(view.root, "fold") == [toggle]
    assert toggle.value is True
    reply.state = "complete"
    view.finish(reply)
    assert "<details open>" in view.slot.last[HTML]


@pytest.mark.usefixtures("shell")
def test_status_and_stop_go_at_once():
    """When an answer settles, status line and Stop are gone; the text stays open for pages that were reloaded."""
    view, reply = begun(background=True)
    fed(view, reply, "Hello")
    (stop,) = found(view.root, "stop")
    reply.state = STOPPED
    view.finish(reply)
    assert stop.comm is None
    assert found(view.root, "stop") == found(view.root, "status") == []
    assert "tokens/s" not in page(view.root)
    assert view.root.comm is not None
    assert "Hello" in page(view.root)
    assert "stopped" in page(view.root)


@pytest.mark.usefixtures("shell")
def test_stop_is_shown_where_it_works():
    """A blocking cell without subshells shows no Stop button; a background answer always does, and it stops."""
    blocking, _ = begun()
    assert found(blocking.root, "stop") == []
    heard = []
    view = live.LiveView(RecordedSlot(), background=True)
    view.begin(a_reply(), lambda: heard.append(1))
    found(view.root, "stop")[0].click()
    assert heard == [1]


@pytest.mark.usefixtures("shell")
def test_finished_blocks_are_announced():
    """One polite region announces finished blocks and never the tail."""
    view, reply = begun()
    fed(view, reply, "One finished paragraph.\n\nanother\nthat grows", 60)
    (words,) = [leaf.value for leaf in leaves(view.root) if 'aria-live="polite"' in str(leaf.value)]
    assert "One finished paragraph." in words
    assert "another" not in words


def test_widgets_outlive_their_answer(shell):
    """The widgets of settled answers stay open until 50 later turns have settled, or their cell runs again."""
    closed = []
    kept = OpenWidgets()
    for number in range(SETTLED_TURNS + 2):
        kept.add(Request(f"cell{number}", "one"), lambda number=number: closed.append(number))
    assert closed == [0, 1]
    kept.close_earlier(Request("cell7", "one"))
    assert closed == [0, 1]
    kept.close_earlier(Request("cell7", "two"))
    assert closed == [0, 1, 7]
    assert open_widgets(shell) is open_widgets(shell)


@pytest.mark.usefixtures("shell")
def test_closing_leaves_nothing(shell):
    """Once its cell runs again, an answer leaves no comm behind."""
    import ipywidgets

    before = set(ipywidgets.widgets.widget._instances)
    view, reply = begun(background=True)
    fed(view, reply, ANSWER, 60)
    reply.thinking_parts.append("Hm.")
    reply.state = "complete"
    view.finish(reply)
    assert set(ipywidgets.widgets.widget._instances) > before
    for _ in range(SETTLED_TURNS):
        open_widgets(shell).add(Request("later"), lambda: None)
    assert set(ipywidgets.widgets.widget._instances) == before
