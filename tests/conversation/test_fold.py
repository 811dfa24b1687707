"""The fold: what changes add up to, and what undo and redo make of them."""

import json
from dataclasses import replace

import pytest

from ollama_magic.conversation.change_json import KINDS, from_json, kind_of, to_json
from ollama_magic.conversation.changes import (
    Began,
    Chosen,
    Ended,
    Entry,
    Grown,
    Ordered,
    Placed,
    Redone,
    Restored,
    Rewritten,
    SetAside,
    SettingChanged,
    Stepped,
    Undone,
)
from ollama_magic.conversation.fold import Fold, after_a_crash
from ollama_magic.conversation.journal import Journal
from ollama_magic.ollama.stats import Stats
from ollama_magic.turns.tool_steps import ToolCall, ToolStep
from ollama_magic.turns.turn_value import Outcome, RequestSettings, Turn
from tests.turns import a_turn, changes_of


def began(number, prompt, cell=None):
    return Began(Turn(prompt, number=number, cell=cell))


class Story:
    """A journal that is written step by step."""

    def __init__(self):
        self.entries, self.fold = [], Fold()

    def add(self, step, *changes, talk="main"):
        for change in changes:
            self.entries.append(Entry(len(self.entries) + 1, step, talk, change))
            self.fold.apply(self.entries[-1])
        return self

    def turn(self, step, number, prompt, cell=None, *, state="complete", text="answer", aside=()):
        changes = [SetAside(tuple(aside), "replaced")] if aside else []
        made = a_turn(prompt, text, state, "m", number=number, cell=cell)
        return self.add(step, *changes, *changes_of(made))

    def prompts(self, talk="main"):
        again = [turn.prompt for turn in Fold(self.entries).standing(talk)]
        assert [turn.prompt for turn in self.fold.standing(talk)] == again
        return again


ASKED = Turn(
    "p\n“é”",
    settings=RequestSettings(
        "m", "d", "s", {"seed": 1}, think=False, format={"type": "object"}, keep_alive=-1, turns=0
    ),
)
CHANGES = [
    Began(replace(ASKED, number=1, cell="cell", at=2.5, fingerprint="f")),
    Began(replace(ASKED, number=2, group=1, column=2)),
    Placed("cell", 3),
    Ordered(("b", "a")),
    Grown(1, "a", "b"),
    Rewritten(1, "a", "b"),
    Stepped(1, 0, ToolStep(ToolCall("f", {"a": [1]}, "call_1"), 2, "done", "r", "", "printed", "cut", 0.5, "hm", "so")),
    Ended(1, Outcome("cut", "e", "length", 1.5, Stats(answer_tokens=3))),
    SetAside((1, 2), "deleted", 3.0),
    Restored((1,)),
    Chosen(2),
    SettingChanged("options", {"seed": 1, "stop": ["a"]}),
    SettingChanged("model", None),
    Undone(4),
    Redone(4),
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_read_back_as_it_was_written(change):
    """Every kind of change survives its JSON."""
    assert from_json(kind_of(change), to_json(change)) == change


def test_every_kind_is_tried():
    """No kind of change is missing above."""
    assert {kind_of(change) for change in CHANGES} == set(KINDS)


def test_changes_of_newer_versions_are_passed_over():
    """A kind that is not known is None, and a field that is not known is left out."""
    assert from_json("painted", "{}") is None
    assert from_json("grown", json.dumps({"number": 1, "text": "a", "colour": "red"})) == Grown(1, "a")


def test_turns_stand_in_the_order_of_their_cells():
    """A cell that runs again takes its old place; what it had is set aside."""
    story = Story().turn(1, 1, "one", "A").turn(2, 2, "two", "B").turn(3, 3, "three", "C")
    story.turn(4, 4, "two again", "B", aside=[2])
    assert story.prompts() == ["one", "two again", "three"]


def test_several_turns_of_one_execution_stay_together():
    """A loop in a cell makes several turns, in sequence and in the cell's place."""
    story = Story().turn(1, 1, "a1", "A").turn(2, 2, "b", "B")
    story.add(3, SetAside((1,), "replaced")).turn(3, 3, "x", "A").turn(3, 4, "y", "A")
    assert story.prompts() == ["x", "y", "b"]


def test_a_turn_without_text_is_not_remembered():
    """A turn that ended before any text does not count, unless it is complete."""
    story = Story().turn(1, 1, "failed", state="failed", text="").turn(2, 2, "empty", text="")
    assert story.prompts() == ["empty"]


def test_undo_takes_back_all_that_a_step_did():
    """Undo of a re-run gives the old answer back; redo gives the new one again."""
    story = Story().turn(1, 1, "one", "A").turn(2, 2, "new", "A", aside=[1])
    assert story.fold.undoable == 2
    story.add(0, Undone(2))
    assert (story.prompts(), story.fold.undoable, story.fold.redoable) == (["one"], 1, 2)
    story.add(0, Redone(2))
    assert (story.prompts(), story.fold.undoable, story.fold.redoable) == (["new"], 2, None)


def test_something_new_ends_redo():
    """After a new step nothing can be given back, and what was undone stays so."""
    story = Story().turn(1, 1, "one").turn(2, 2, "two")
    story.add(0, Undone(2)).turn(3, 3, "three")
    assert (story.prompts(), story.fold.redoable, story.fold.undoable) == (["one", "three"], None, 3)
    story.add(0, Undone(3)).add(0, Undone(1))
    assert (story.prompts(), story.fold.undoable) == ([], None)


def test_undo_reaches_a_hundred_steps():
    """Undo takes back the newest hundred steps and no more."""
    story = Story()
    for step in range(1, 121):
        story.turn(step, step, str(step))
    for _ in range(100):
        story.add(0, Undone(story.fold.undoable))
    assert (len(story.prompts()), story.fold.undoable) == (20, None)


def test_settings_are_steps_of_their_conversation():
    """What was told belongs to one conversation, and undo takes it back."""
    story = Story().add(1, SettingChanged("model", "a"), talk="x").add(2, SettingChanged("model", "b"), talk="x")
    assert (story.fold.setting("x", "model"), story.fold.setting("main", "model")) == ("b", None)
    story.add(0, Undone(2))
    assert story.fold.setting("x", "model") == "a"


def test_conversations_are_apart():
    """A turn belongs to one conversation, and a cell may have turns in several."""
    story = Story().turn(1, 1, "one", "A")
    story.add(2, began(2, "other", "A"), Grown(2, "x"), Ended(2, Outcome("complete")), talk="side")
    assert (story.prompts(), story.prompts("side")) == (["one"], ["other"])
    assert {turn.number for turn in story.fold.of_cell("A")} == {1, 2}
    assert story.fold.conversations == ["main", "side"]


def test_a_number_is_never_given_twice():
    """The next number is above all that ever were, undone ones too."""
    story = Story().turn(1, 7, "one").add(0, Undone(1))
    assert story.fold.next_number == Fold(story.entries).next_number == 8


def test_a_background_turn_grows_among_other_steps():
    """Text that comes to an older step's turn is neither lost nor a step of its own."""
    story = Story().add(1, began(1, "long", "A")).turn(2, 2, "short", "B")
    story.add(1, Grown(1, "more"), Ended(1, Outcome("complete")))
    assert (story.prompts(), story.fold.undoable) == (["long", "short"], 2)


def test_a_crash_leaves_the_text_and_brings_back_what_was_replaced():
    """A turn that a killed kernel left running is cut; without text it is gone, and the old one counts again."""
    story = Story().turn(1, 1, "one", "A").turn(2, 2, "two", "B")
    story.add(3, SetAside((1,), "replaced"), began(3, "again", "A"))
    story.add(4, SetAside((2,), "replaced"), began(4, "two again", "B"), Grown(4, "half"))
    story.add(0, *after_a_crash(story.fold))
    assert story.prompts() == ["one", "two again"]
    assert story.fold.standing("main")[1].state == "cut"


def test_after_a_crash_only_what_was_replaced_comes_back():
    """A turn that was killed before any text gives back the old one, and no cell that was deleted meanwhile."""
    story = Story().turn(1, 1, "one", "A").turn(2, 2, "two", "B").turn(3, 3, "three", "C")
    story.add(4, SetAside((3,), "deleted"), SetAside((2,), "replaced"), began(4, "two again", "B"))
    story.add(0, *after_a_crash(story.fold))
    assert story.prompts() == ["one", "two"]


def test_what_an_erased_turn_had_replaced_stays_aside():
    """A restart does not take the run of an erased turn for one that died before its turn began."""
    journal = Journal()
    journal.add([Turn("once", "old")])
    journal.set_aside(journal.turns("main"), "replaced", 2)
    journal.add([Turn("again", "new")], 2)
    journal.erase([journal.turns("main")[0].number])
    restarted = Journal()
    restarted.adopt(
        [one._replace(change=from_json(kind_of(one.change), to_json(one.change))) for one in journal.entries]
    )
    restarted.cut_running_turns()
    assert restarted.turns("main") == []


def test_after_a_crash_before_the_turn_began():
    """A kernel that died while it looked the model up leaves what the cell had, and that is told once."""
    story = Story().turn(1, 1, "one", "A").turn(2, 2, "two", "B").add(3, SetAside((1,), "replaced"))
    story.add(0, *after_a_crash(story.fold))
    assert story.prompts() == ["one", "two"]
    assert not after_a_crash(story.fold)


def test_a_cell_stands_where_it_first_ran():
    """A cell whose first run came to nothing keeps its place above the cells that ran after it."""
    story = Story().add(0, Placed("A", 1)).turn(1, 2, "two", "B").turn(2, 3, "one", "A")
    assert story.prompts() == ["one", "two"]
