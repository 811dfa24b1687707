"""Steps as a part of the turn: shown inert, saved and opened, found again after a crash, exported and replayed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ollama_magic.conversation.change_json import contents_in, from_json, kind_of, to_json
from ollama_magic.conversation.changes import Stepped
from ollama_magic.conversation.journal import Journal
from ollama_magic.demo.recordings.replay import read_replay
from ollama_magic.display.steps import step_html, step_line
from ollama_magic.export.languages import FIRST_ONLY, exported
from ollama_magic.export.target import Target
from ollama_magic.line.cell_source import read_cell
from ollama_magic.notebook.conversation_file import open_conversation, save_conversation
from ollama_magic.ollama.message_list import MessageList
from ollama_magic.ollama.protocol import ChatRequest
from ollama_magic.turns.attachment import Attachment
from ollama_magic.turns.step_json import step_json, steps_from_json
from ollama_magic.turns.tool_steps import ToolCall, ToolStep
from ollama_magic.turns.turn_messages import messages_of
from ollama_magic.turns.turn_value import Outcome, Turn

if TYPE_CHECKING:
    from pathlib import Path

LIMA = ToolStep(
    ToolCall("weather", {"city": "Lima"}, "call_1"), 1, "done", "18 °C", "", "looking\n", "", 0.2, "Hm.", "Let me look."
)
OSLO = ToolStep(ToolCall("weather", {"town": "Oslo"}, "call_2"), 1, "failed", "", "the argument city is missing")
LEFT = ToolStep(ToolCall("left", {"product": "lamp"}, "call_3"), 2, "done", "4")
TURN = Turn("How is it?", "Fine.", outcome=Outcome("complete"), steps=(LIMA, OSLO, LEFT))


@pytest.mark.parametrize(
    ("step", "line"),
    [
        (LIMA, 'weather(city="Lima") → 18 °C · 0.2 s'),
        (OSLO, 'weather(town="Oslo") → Error: the argument city is missing'),
        (ToolStep(ToolCall("left", {})), "left() → it was stopped before it ended"),
        (ToolStep(ToolCall("left", {}), 1, "done", ""), "left() → (nothing)"),
    ],
)
def test_a_step_is_a_line(step: ToolStep, line: str) -> None:
    """The call as Python writes it, the beginning of its result or its error, and how long it took."""
    assert step_line(step) == line


def test_what_a_step_holds_is_inert() -> None:
    """Names, arguments, results and prints of any kind are text: no tag, no control character, nothing hidden."""
    bad = '<script>alert(1)</script>\x1b[31m\u202e<img src=x onerror="x">'
    html = step_html(ToolStep(ToolCall(bad, {bad: bad}), 1, "done", bad, "", bad, bad, 0.1, bad, bad))
    assert "<script" not in html
    assert "<img" not in html
    assert "\x1b" not in html
    assert "\u202e" not in html


def test_steps_are_sent_as_ollama_wants_them() -> None:
    """For each round the calls with what was thought and said before them, then a result for each, then the answer."""
    sent = messages_of([TURN], prompt="And now?")
    assert [message.role for message in sent] == [
        *("user", "assistant", "tool", "tool", "assistant", "tool", "assistant", "user")
    ]
    assert (sent[1].content, sent[1].thinking, len(sent[1].tool_calls)) == ("Let me look.", "Hm.", 2)
    assert [message.content for message in sent[2:4]] == ["18 °C", "Error: the argument city is missing"]
    assert (sent[6].content, sent[6].thinking) == ("Fine.", "")


@pytest.mark.parametrize("step", TURN.steps)
def test_a_step_survives_its_json(step: ToolStep) -> None:
    """What is written is read back."""
    assert steps_from_json([step_json(step)]) == (step,)


@pytest.mark.parametrize("value", [None, 5, [5], [{}], [{"name": 5, "arguments": "x", "round": "y", "seconds": "z"}]])
def test_steps_of_a_foreign_file_do_no_harm(value: object) -> None:
    """Whatever stands in the place of steps is read as steps that did not run, or not at all."""
    assert all(step.state == "failed" for step in steps_from_json(value))


@pytest.mark.parametrize("name", ["talk.json", "talk.ipynb"])
def test_steps_are_saved_and_opened(tmp_path: Path, name: str) -> None:
    """A saved conversation has its steps when it is opened; a notebook's are without ids and times."""
    path = save_conversation(tmp_path / name, [TURN])
    (turn,) = open_conversation(path, read_cell).turns
    assert [(step.call.name, step.call.arguments, step.content, step.round) for step in turn.steps] == [
        (step.call.name, step.call.arguments, step.content, step.round) for step in TURN.steps
    ]
    assert (turn.prompt, turn.text, turn.steps[0].thinking) == ("How is it?", "Fine.", "Hm.")


def test_a_saved_dialogue_is_replayed(tmp_path: Path) -> None:
    """The demo server can recite a saved conversation with its calls."""
    turn = read_replay(save_conversation(tmp_path / "talk.json", [TURN])).turns[0]
    assert [one.calls for one in turn.rounds] == [
        (("weather", {"city": "Lima"}), ("weather", {"town": "Oslo"})),
        (("left", {"product": "lamp"}),),
    ]
    assert turn.rounds[0].results == ("18 °C", "Error: the argument city is missing")


def test_a_kernel_that_dies_in_mid_loop_leaves_its_steps() -> None:
    """What the store has of a killed turn is found again: the steps so far; the open one is sent as an error, unrun."""
    journal = Journal()
    begun = journal.begin(Turn("How is it?"), journal.new_step())
    journal.note_step(begun, 0, LIMA)
    journal.note_step(begun, 1, ToolStep(LEFT.call, 2, "running"))
    stored = [(entry, kind_of(entry.change), to_json(entry.change)) for entry in journal.entries]
    found = Journal()
    found.adopt(
        [
            type(entry)(entry.counter, entry.step, entry.conversation, from_json(kind, body))
            for entry, kind, body in stored
        ]
    )
    found.cut_running_turns()
    (turn,) = found.turns("main")
    assert (turn.state, turn.steps[0], turn.steps[1].state) == ("cut", LIMA, "running")
    assert messages_of([turn])[-1].content == "Error: it was stopped before it ended"


@pytest.mark.parametrize("language", ["curl", "java"])
def test_other_exports_are_the_first_request(language: str) -> None:
    """Both get the first request with the tools, and say that it is the first alone."""
    tool = {"type": "function", "function": {"name": "weather", "description": "", "parameters": {"type": "object"}}}
    request = ChatRequest("m", messages_of([], prompt="How is it?"), tools=(tool,))
    program = exported(language, request, Target("http://127.0.0.1:11434"))
    assert FIRST_ONLY in program
    assert '"name": "weather"' in program


def test_an_image_of_a_step_is_stored_and_sent_again() -> None:
    """The store has the image once, by its hash; later turns send it with its result, and it is counted."""
    image = Attachment.of("picture", "image", "image/png", b"\x89PNG picture")
    step = ToolStep(ToolCall("draw"), 1, "done", "[picture]", images=(image,))
    change = Stepped(1, 0, step)
    stored = to_json(change)
    assert "PNG" not in stored
    found = from_json("stepped", stored, contents_in(change))
    assert found == change
    assert isinstance(found, Stepped)
    turn = Turn("Draw.", "Done.", steps=(found.step,))
    assert messages_of([turn])[2].images == (image.data,)
    assert MessageList(messages_of([turn])).images == (image.data,)
