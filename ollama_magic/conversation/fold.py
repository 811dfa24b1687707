"""What all changes of a notebook add up to: its turns in their order, which of them count, and what was told. Pure."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ollama_magic.conversation.changes import (
    Began,
    Ended,
    Grown,
    Ordered,
    Placed,
    Redone,
    Restored,
    SetAside,
    Told,
    Undone,
)
from ollama_magic.conversation.places import Places
from ollama_magic.conversation.remembered import Turn
from ollama_magic.conversation.reply import CUT, RUNNING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ollama_magic.conversation.changes import Change, Entry

REPLACED = "replaced"  # why a turn is set aside when its cell runs again
STEPS = 100  # how far undo reaches (design §4)


class Fold:
    """The state of one notebook after its changes so far."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self._entries: list[Entry] = []
        self._undone: set[int] = set()
        self._noted: set[int] = set()
        self._order: tuple[str, ...] | None = None
        self._begin()
        for entry in entries:
            self.apply(entry)

    def apply(self, entry: Entry) -> None:
        """Take one more change; only undo and redo look at the earlier ones again."""
        self._entries.append(entry)
        if isinstance(entry.change, (Undone, Redone)):
            self._fold_anew()
        else:
            self._note_step(entry.step)
            if entry.step not in self._undone:
                self._take(entry.change, entry)

    def turn(self, number: int) -> Turn | None:
        """The turn of that number, if it is known."""
        return self._turns.get(number)

    def standing(self, conversation: str) -> list[Turn]:
        """The turns of a conversation that count, in their order."""
        if conversation not in self._standing:
            self._standing[conversation] = [turn for turn in self.ordered(conversation) if turn.counts]
        return list(self._standing[conversation])

    def ordered(self, conversation: str) -> list[Turn]:
        """All turns of a conversation, those set aside too, in the order of their places."""
        return sorted(self._of(conversation), key=self.places.keys(self.order))

    def above(self, conversation: str, cell: str | None) -> list[Turn]:
        """The turns that count and stand above the next turn of a cell; without a cell it is the last of all."""
        turns = self.standing(conversation)
        if cell is None:
            return turns
        key = self.places.keys(self.order, cell, self.next_number)
        here = key(Turn(self.next_number, conversation, 0, "", cell))
        return [turn for turn in turns if key(turn) < here]

    def of_cell(self, cell: str) -> list[Turn]:
        """The turns of a cell that count, in whichever conversation."""
        return [turn for turn in self._turns.values() if turn.cell == cell and turn.counts]

    def all_of_cell(self, cell: str | None) -> list[Turn]:
        """All turns of a cell, those set aside too."""
        return [turn for turn in self._turns.values() if cell is not None and turn.cell == cell]

    @property
    def order(self) -> tuple[str, ...]:
        """The cells from above down, as far as their order is told: all code cells by a page, else those that chat."""
        return self.places.told if self._order is None else self._order

    @order.setter
    def order(self, cells: tuple[str, ...] | None) -> None:
        self._order = cells
        self._standing.clear()

    def told(self, conversation: str, key: str) -> Any:
        """What was told for a setting, or None."""
        return self._told.get((conversation, key))

    @property
    def running(self) -> list[Turn]:
        """The turns that began and have not ended."""
        return [turn for turn in self._turns.values() if turn.state == RUNNING]

    @property
    def all_turns(self) -> list[Turn]:
        """Every turn, whether it counts or not."""
        return list(self._turns.values())

    @property
    def set_aside(self) -> list[Turn]:
        """The turns that were set aside."""
        return [turn for turn in self._turns.values() if turn.aside]

    @property
    def conversations(self) -> list[str]:
        """The names that have turns, oldest first."""
        return list(dict.fromkeys(turn.conversation for turn in self._turns.values() if not turn.empty))

    @property
    def undoable(self) -> int | None:
        """The newest step that undo would take back."""
        return self._steps[-1] if self._steps else None

    @property
    def redoable(self) -> int | None:
        """The step that redo would give back."""
        return self._taken[-1] if self._taken else None

    @property
    def next_number(self) -> int:
        """A number for the next turn; no turn ever had it."""
        return self._highest + 1

    @property
    def newest_set_aside(self) -> int:
        """The newest step that set turns aside, 0 without one."""
        steps = (entry.step for entry in reversed(self._entries) if isinstance(entry.change, SetAside) and entry.step)
        return next(steps, 0)

    def undone(self, step: int) -> bool:
        """Whether a step was taken back and not given back."""
        return step in self._undone

    def entries_of(self, step: int) -> list[Entry]:
        """The changes that a step made."""
        return [entry for entry in self._entries if entry.step == step]

    def _begin(self) -> None:
        self._standing: dict[str, list[Turn]] = {}  # until a change that moves turns, or makes them count or not
        self._turns: dict[int, Turn] = {}
        self.places = Places()
        self._told: dict[tuple[str, str], Any] = {}
        self._steps: list[int] = []
        self._taken: list[int] = []
        self._highest = 0

    def _note_step(self, step: int) -> None:
        if step > 0 and step not in self._noted:
            self._noted.add(step)
            self._steps = [*self._steps, step][-STEPS:]
            self._taken.clear()

    def _fold_anew(self) -> None:
        """The steps that count are known from the whole journal; their changes are then taken once more."""
        entries, steps, taken = self._entries, dict[int, None](), dict[int, None]()
        for entry in entries:
            match entry.change:
                case Undone(step):
                    steps.pop(step, None)
                    taken[step] = None
                case Redone(step):
                    taken.pop(step, None)
                    steps[step] = None
                case _ if entry.step > 0 and entry.step not in steps and entry.step not in taken:
                    steps[entry.step] = None
                    taken.clear()
        self._undone = self._ever_taken(entries) - set(steps)
        self._begin()
        for entry in entries:
            self._highest = max(self._highest, getattr(entry.change, "number", 0))
            if entry.step not in self._undone and not isinstance(entry.change, (Undone, Redone)):
                self._take(entry.change, entry)
        self._taken = list(taken)
        self._steps = list(steps)[-STEPS + len(taken) :] if len(taken) < STEPS else []

    @staticmethod
    def _ever_taken(entries: Iterable[Entry]) -> set[int]:
        return {entry.change.taken for entry in entries if isinstance(entry.change, Undone)}

    def _take(self, change: Change, entry: Entry) -> None:  # noqa: C901, PLR0912 (a case for each kind)
        if not isinstance(change, (Grown, Told)):
            self._standing.clear()
        match change:
            case Began():
                self._take_begin(change, entry)
            case Placed(cell, number):
                self._highest = max(self._highest, number)
                self.places.put(cell, number)
            case Ordered(cells):
                self.places.told = cells
            case Grown(number, text, thinking):
                for turn in self._known([number]):
                    turn.text += text
                    turn.thinking += thinking
            case Ended(number):
                for turn in self._known([number]):
                    turn.state, turn.model, turn.digest, turn.error = (
                        change.state,
                        change.model,
                        change.digest,
                        change.error,
                    )
                    turn.seconds, turn.stats = change.seconds, change.stats
            case SetAside(numbers, why, at):
                for turn in self._known(numbers):
                    turn.aside, turn.aside_at = why, at
            case Restored(numbers):
                for turn in self._known(numbers):
                    turn.aside, turn.aside_at = "", 0.0
            case Told(key, value):
                self._told[entry.conversation, key] = value

    def _take_begin(self, change: Began, entry: Entry) -> None:
        given = asdict(change)
        turn = Turn(conversation=entry.conversation, step=entry.step, **given)
        self.places.began(turn, self._of(entry.conversation))
        self._turns[change.number] = turn
        self._highest = max(self._highest, change.number)

    def _of(self, conversation: str) -> Iterator[Turn]:
        return (turn for turn in self._turns.values() if turn.conversation == conversation)

    def _known(self, numbers: Iterable[int]) -> list[Turn]:
        return [self._turns[number] for number in numbers if number in self._turns]


def after_a_crash(fold: Fold) -> list[Change]:
    """What to add when a kernel died in mid-answer: its turn is cut; without text it is gone and the old ones count."""
    changes: list[Change] = []
    for turn in fold.running:
        changes.append(Ended(turn.number, CUT, turn.model, error="the kernel ended in mid-answer"))
        replaced = [] if turn.text else replaced_by(fold, turn.step)
        if replaced:
            changes.append(Restored(tuple(replaced)))
    newest = fold.newest_set_aside
    if newest and not any(isinstance(entry.change, (Began, Restored)) for entry in fold.entries_of(newest)):
        replaced = replaced_by(fold, newest)  # it died before the new turn began
        changes += [Restored(tuple(replaced))] if replaced else []
    return changes


def replaced_by(fold: Fold, step: int) -> list[int]:
    """The numbers of the turns that a run had set aside for its own, and that still are."""
    changes = (entry.change for entry in fold.entries_of(step))
    aside = (change for change in changes if isinstance(change, SetAside) and change.why == REPLACED)
    turns = [fold.turn(number) for change in aside for number in change.numbers]
    return [turn.number for turn in turns if turn is not None and turn.aside == REPLACED]
