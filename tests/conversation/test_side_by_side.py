"""Turns that are asked side by side, in the fold: which one counts, and what undo, a choice and a crash make of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ollama_magic.conversation.change_json import from_json, kind_of, to_json
from ollama_magic.conversation.changes import Began, Chosen, Ended, Entry, Grown, SetAside
from ollama_magic.conversation.conversation import Conversation
from ollama_magic.conversation.fold import Fold, after_a_crash
from ollama_magic.conversation.journal import Journal
from ollama_magic.conversation.pairing import paired
from ollama_magic.errors import InputError
from ollama_magic.turns.turn_value import Outcome, Turn
from tests.turns import a_turn

if TYPE_CHECKING:
    from collections.abc import Sequence


def journal_of(*texts: str, states: Sequence[str] = (), before: Sequence[Turn] = ()) -> Journal:
    """A journal with a turn for each text, asked side by side as one step; an empty text of a running turn is none."""
    journal = Journal()
    step = journal.new_step()
    if before:
        journal.set_aside(list(before), "replaced", step)
    group = 0
    for place, text in enumerate(texts, 1):
        asked = a_turn("Hi", state="running", model=f"m{place}", cell="a", at=2.5, group=group, column=place)
        begun = journal.begin(asked, step)
        group = begun.group
        journal.grow(begun, text, "")
        state = states[place - 1] if states else "complete"
        if state != "running":
            journal.end(begun, Outcome(state))  # type: ignore[arg-type]
    return journal


def shown(journal: Journal) -> list[tuple[str, list[str]]]:
    """The models of the turns that count, with those of their alternatives; the fold of the JSON says the same."""
    told = [Entry(one.counter, one.step, one.conversation, _again(one)) for one in journal.entries]
    turns = journal.turns("main")
    assert Fold(told).standing("main") == turns
    return [(turn.model, [other.model for other in turn.alternatives]) for turn in turns]


def _again(entry: Entry):  # type: ignore[no-untyped-def]
    change = from_json(kind_of(entry.change), to_json(entry.change), {})
    assert change is not None
    return change


@pytest.mark.parametrize(
    ("texts", "states", "expected"),
    [
        (("a", "b", "c"), (), [("m1", ["m2", "m3"])]),
        (("", "b", "c"), ("failed", "complete", "stopped"), [("m2", ["m3"])]),
        (("", "", "c"), ("failed", "complete", "complete"), [("m3", ["m2"])]),  # the empty answer is complete
        (("a", "", ""), ("cut", "failed", "stopped"), [("m1", [])]),
        (("", "b"), ("running", "complete"), [("m1", ["m2"])]),
        (("", ""), ("failed", "stopped"), []),
    ],
)
def test_the_first_of_which_something_came_counts(
    texts: tuple[str, ...], states: tuple[str, ...], expected: list[tuple[str, list[str]]]
) -> None:
    """The first turn that did not come to nothing counts, and has the others as its alternatives."""
    assert shown(journal_of(*texts, states=states)) == expected


def test_a_choice_is_a_step() -> None:
    """Another one can be chosen; undo takes that back, redo restores it, and later turns are older than the choice."""
    journal = journal_of("a", "b")
    journal.add([a_turn("Next", "n", model="m1", at=3.5)])
    journal.append("main", Chosen(2), journal.new_step())
    assert shown(journal) == [("m2", ["m1"]), ("m1", [])]
    chosen, later = journal.turns("main")
    assert chosen.number < later.number < chosen.newest
    undone = journal.undo()
    assert undone is not None
    assert undone.chosen is not None
    assert shown(journal) == [("m1", ["m2"]), ("m1", [])]
    journal.redo()
    assert shown(journal)[0] == ("m2", ["m1"])
    journal.add([a_turn("Last", "l", model="m1", at=4.5)])
    assert journal.turns("main")[-1].number >= chosen.newest


def test_a_group_goes_and_comes_as_one() -> None:
    """What sets the turn that counts aside takes its alternatives with it; undo brings all of them back."""
    journal = journal_of("a", "b", "c")
    journal.append("main", Chosen(3), journal.new_step())
    journal.set_aside(journal.turns("main"), "forgotten")
    assert shown(journal) == []
    assert [turn.aside for turn in Conversation("main", journal).ordered()] == ["forgotten"]
    journal.undo()
    assert shown(journal) == [("m3", ["m1", "m2"])]
    journal.undo()
    journal.undo()
    assert shown(journal) == []


def test_a_turn_that_ends_late_changes_no_choice() -> None:
    """A journal in which a turn ends after another one was chosen has the chosen one, as a damaged store may say."""
    journal = journal_of("a", "b", states=("complete", "running"))
    journal.append("main", Chosen(2), journal.new_step())
    journal.append("main", Ended(2, Outcome("complete")), 1)
    assert shown(journal) == [("m2", ["m1"])]


@pytest.mark.parametrize(("texts", "left"), [(("a", ""), ("m1", [])), (("", "b"), ("m2", [])), (("", ""), ("old", []))])
def test_a_crash_in_mid_answer(texts: tuple[str, ...], left: tuple[str, list[str]]) -> None:
    """After a kill what each column has is found and cut; without any text the turn that was replaced counts."""
    old = a_turn("Hi", "old text", model="old", number=1, cell="a")
    fold = Fold()
    changes = [Began(replace(old, text="", outcome=Outcome())), Grown(1, "old text"), Ended(1, Outcome("complete"))]
    changes += [SetAside((1,), "replaced")]  # type: ignore[list-item]
    for place, text in enumerate(texts, 1):
        asked = Turn(
            "Hi", settings=a_turn(model=f"m{place}").settings, number=place + 1, cell="a", group=2, column=place
        )
        changes += [Began(asked), Grown(place + 1, text)]
    for counter, change in enumerate(changes, 1):
        fold.apply(Entry(counter, 1 if counter < 4 else 2, "main", change))
    for counter, cut in enumerate(after_a_crash(fold), len(changes) + 1):
        fold.apply(Entry(counter, 0, "main", cut))
    turns = fold.standing("main")
    assert [(turn.model, [other.model for other in turn.alternatives]) for turn in turns] == [left]
    assert turns[0].state == ("complete" if left[0] == "old" else "cut")


def test_a_file_brings_them_side_by_side() -> None:
    """Turns with alternatives are added as a group, in the order of their columns, and the same one counts."""
    other = a_turn("Hi", "one", model="m1", at=2.5, column=1)
    main = replace(a_turn("Hi", "two", model="m2", at=2.5, column=2), alternatives=(other,))
    journal = Journal()
    Conversation("main", journal).add([main])
    assert shown(journal) == [("m2", ["m1"])]
    assert [turn.text for turn in journal.turns("main")[0].columns] == ["one", "two"]
    journal.undo()
    assert shown(journal) == []


@pytest.mark.parametrize(
    ("models", "hosts", "expected"),
    [
        ((), (), [(None, None)]),
        (("a",), ("x",), [("a", "x")]),
        (("a", "b"), (), [("a", None), ("b", None)]),
        (("a", "b"), ("x",), [("a", "x"), ("b", "x")]),
        (("a", "b"), ("x", "y"), [("a", "x"), ("b", "y")]),
        (("a",), ("x", "y"), [("a", "x"), ("a", "y")]),
        (("a", "a"), ("x", "y"), [("a", "x"), ("a", "y")]),
        (("a", "a:latest"), (), "a stands there twice; name it once."),
        (("a", "b", "c"), ("x", "y"), "3 -m and 2 --host do not pair"),
        (tuple("abcdefghi"), (), "9 answers side by side are too many"),
    ],
)
def test_models_and_hosts_pair(models: tuple[str, ...], hosts: tuple[str, ...], expected: object) -> None:
    """One host is for all models, several are for one each; what does not pair is refused in one line."""
    if isinstance(expected, str):
        with pytest.raises(InputError, match="^" + expected[:20]) as refused:
            paired(models, hosts)
        assert expected in str(refused.value)
    else:
        assert paired(models, hosts) == expected
