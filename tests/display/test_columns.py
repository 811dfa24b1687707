"""The views of answers side by side, without a page: what the one output holds while they grow, and at their end."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from ollama_magic.conversation.reply import COMPLETE, FAILED, RUNNING, Reply
from ollama_magic.display import columns
from ollama_magic.display.settled_columns import columns_bundle, turn_bundle
from ollama_magic.errors import ServerError
from tests.display.replies import HTML, LABELS, TEXT, WIDGET, RecordedSlot, a_reply, ended, found, page
from tests.turns import a_turn

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Views = tuple[list[Any], RecordedSlot, list[Reply]]


def opened(replies: Sequence[Reply], view: Callable[[Any, int], Any], *, live: bool) -> Views:
    """Views that have begun, their slot, and their replies."""
    output = columns.ColumnsOutput(LABELS, len(replies), ["filled df"], "brief", background=False)
    output.slot = slot = RecordedSlot()
    around = columns.LiveColumns(output) if live else output
    views = [view(around, place) for place in range(len(replies))]
    for shown, reply in zip(views, replies, strict=True):
        shown.begin(reply, lambda: None)
    return views, slot, list(replies)


def finish(view: Any, reply: Reply, state: Any = COMPLETE) -> None:
    reply.state = state
    view.finish(reply)


@pytest.mark.usefixtures("shell")
def test_one_slot_for_all() -> None:
    """The slot opens once, with a column for each model, and settles when the last answer has ended."""
    views, slot, replies = opened([a_reply(model="a"), a_reply(model="b")], columns.LiveColumn, live=True)
    ((bundle, _),) = slot.shown
    assert bundle[WIDGET]
    replies[0].text_parts.append("One.")
    finish(views[0], replies[0])
    assert len(slot.shown) == 1
    views[0].refresh_settled(replies[0])  # it is on the disk now; the other one still grows
    assert len(slot.shown) == 1
    replies[1].text_parts.append("Two.")
    replies[0].status.remembered, replies[1].status.remembered = True, False
    finish(views[1], replies[1])
    bundle, metadata = slot.shown[-1]
    assert len(slot.shown) == 2
    assert bundle[TEXT] == "## a\n\nOne.\n\n## b\n\nTwo."
    assert metadata["ollama_magic"]["column"] == 1
    assert bundle[HTML].count("filled df") == 1


@pytest.mark.usefixtures("shell")
def test_columns_share_the_messages() -> None:
    """So many columns are painted so much more rarely, so that together they send no more than one answer."""
    alone, _, (reply,) = opened([a_reply(model="a")], columns.LiveColumn, live=True)
    four, _, replies = opened([a_reply(model=name) for name in "abcd"], columns.LiveColumn, live=True)
    assert four[0].show(replies[0]) >= 4 * alone[0].show(reply) * 0.9


@pytest.mark.usefixtures("shell")
def test_each_live_column_has_its_parts() -> None:
    """A live column has its heading, thinking, answer and status of its own."""
    views, _, replies = opened([a_reply(model="a"), a_reply(model="b")], columns.LiveColumn, live=True)
    replies[1].thinking_parts.append("Hm.")
    replies[1].text_parts.append("Two.\n\n")
    replies[0].status.waiting = "waiting while b answers"
    for view, reply in zip(views, replies, strict=True):
        view._status._shown = ()
        view.show(reply)
    assert "waiting while b answers" in page(views[0].root)
    assert "Two." not in page(views[0].root)
    assert "Two." in page(views[1].root)
    assert found(views[1].root, "thinking")
    assert "<strong>b</strong>" in views[1]._heading.value


@pytest.mark.usefixtures("shell")
def test_without_widgets_it_runs_until_all_have_ended() -> None:
    """A page without widgets never has an output that says it is complete before it is, whichever answer ends first."""
    views, slot, replies = opened([a_reply(model="a"), a_reply(model="b")], columns.UpdatingColumn, live=False)
    replies[0].text_parts.append("One.")
    finish(views[0], replies[0])
    replies[1].text_parts.append("Two")
    views[1].show(replies[1])
    assert "One." in slot.last[HTML]
    assert "Two" in slot.last[HTML]
    replies[1].state = COMPLETE  # it has ended, and is not yet finished: another column may be painted now
    views[0].show(replies[0])
    assert {metadata["ollama_magic"]["state"] for _, metadata in slot.shown} == {RUNNING}
    views[1].finish(replies[1])
    assert slot.shown[-1][1]["ollama_magic"]["state"] == COMPLETE
    assert slot.last[TEXT] == "## a\n\nOne.\n\n## b\n\nTwo"


@pytest.mark.usefixtures("shell")
def test_what_failed_says_why() -> None:
    """A column that failed has its reason in HTML and text; what comes from a model or server stays inert."""
    bad = ended(model="<b>x</b>", state=FAILED, error=ServerError("It <i>broke</i>."))
    bundle = columns_bundle([ended("One.", model="a"), bad])
    assert bundle[TEXT] == "## a\n\nOne.\n\n## <b>x</b>\n\n[failed: It <i>broke</i>.]"
    assert "<b>x" not in bundle[HTML]
    assert "<i>broke" not in bundle[HTML]
    assert "It &lt;i&gt;broke" in bundle[HTML]


@pytest.mark.usefixtures("shell")
def test_a_stored_turn_with_its_alternatives() -> None:
    """A page that missed the end gets the columns of the store, with the remembered one marked."""
    other = a_turn("Hi", "One.", model="a", column=1)
    bundle, labels = turn_bundle(replace(a_turn("Hi", "Two.", model="b", column=2), alternatives=(other,)))
    assert bundle[TEXT] == "## a\n\nOne.\n\n## b\n\nTwo."
    assert labels["column"] == 2
    assert "<strong>b</strong> <small>· remembered</small>" in bundle[HTML]
