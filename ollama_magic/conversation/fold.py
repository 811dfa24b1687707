"""The state that all changes of a notebook add up to: ordered turns, which of them count, settings. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ollama_magic.conversation.changes import (
    Began,
    Chosen,
    Ended,
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
from ollama_magic.conversation.side_by_side import chosen, first_with_text, with_alternatives
from ollama_magic.conversation.turn_order import TurnOrder
from ollama_magic.turns.turn_value import ALTERNATIVE, CUT, RUNNING, Outcome, Turn

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ollama_magic.conversation.changes import Change, Entry

STEPS = 100  # how far undo reaches (design.md §4)


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
        """Apply one more change; only undo and redo recompute from the earlier ones."""
        self._entries.append(entry)
        if isinstance(entry.change, (Undone, Redone)):
            self._fold_anew()
        else:
            self._note_step(entry.step)
            if entry.step not in self._undone:
                self._take(entry.change, entry)

    def turn(self, number: int) -> Turn | None:
        """The turn of that number, if it is known."""
        turn = self._turns.get(number)
        return turn and self._whole(turn)

    def group_of(self, turn: Turn) -> list[Turn]:
        """The turns that were asked side by side with this one, and itself."""
        return self._known(self._groups.get(turn.group, [turn.number]))

    def standing(self, conversation: str) -> list[Turn]:
        """The turns of a conversation that count, in their order."""
        if conversation not in self._standing:
            self._standing[conversation] = [turn for turn in self.ordered(conversation) if turn.counts]
        return list(self._standing[conversation])

    def ordered(self, conversation: str) -> list[Turn]:
        """All turns of a conversation in order, including those that were set aside."""
        turns = [self._whole(turn) for turn in self._of(conversation) if turn.aside != ALTERNATIVE]
        return sorted(turns, key=self.places.keys(self.order))

    def above(self, conversation: str, cell: str | None) -> list[Turn]:
        """The turns that count above the next turn of a cell; without a cell all of them."""
        turns = self.standing(conversation)
        if cell is None:
            return turns
        key = self.places.keys(self.order, cell, self.next_number)
        own = key(Turn("", number=self.next_number, conversation=conversation, cell=cell))
        if not self.order and turns and key(turns[-1]) < own:
            return turns
        return [turn for turn in turns if key(turn) < own]

    def of_cell(self, cell: str) -> list[Turn]:
        """The turns of a cell that count, in whichever conversation."""
        return [self._whole(turn) for turn in self._turns.values() if turn.cell == cell and turn.counts]

    @property
    def order(self) -> tuple[str, ...]:
        """The cells from top to bottom as far as known: all code cells of a page, else the chat cells."""
        return self.places.cell_order if self._order is None else self._order

    @order.setter
    def order(self, cells: tuple[str, ...] | None) -> None:
        self._order = cells
        self._standing.clear()

    def setting(self, conversation: str, key: str) -> Any:
        """The value of a setting, or None."""
        return self._settings.get((conversation, key))

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
        """The step that undo would take back."""
        return self._steps[-1] if self._steps else None

    @property
    def redoable(self) -> int | None:
        """The step that redo would restore."""
        return self._taken[-1] if self._taken else None

    @property
    def next_number(self) -> int:
        """The number of the next turn, which no turn has had."""
        return self._highest + 1

    @property
    def newest_set_aside(self) -> int:
        """The newest step that set turns aside, 0 without one."""
        steps = (entry.step for entry in reversed(self._entries) if isinstance(entry.change, SetAside) and entry.step)
        return next(steps, 0)

    def undone(self, step: int) -> bool:
        """Whether a step was undone and not redone."""
        return step in self._undone

    def entries_of(self, step: int) -> list[Entry]:
        """The changes that a step made."""
        return [entry for entry in self._entries if entry.step == step]

    def _begin(self) -> None:
        self._standing: dict[str, list[Turn]] = {}  # until a change that moves turns, or makes them count or not
        self._turns: dict[int, Turn] = {}
        self._groups: dict[int, list[int]] = {}
        self.places = TurnOrder()
        self._settings: dict[tuple[str, str], Any] = {}
        self._steps: list[int] = []
        self._taken: list[int] = []
        self._highest = 0

    def _note_step(self, step: int) -> None:
        if step > 0 and step not in self._noted:
            self._noted.add(step)
            self._steps = [*self._steps, step][-STEPS:]
            self._taken.clear()

    def _fold_anew(self) -> None:
        """Find the steps that count from the whole journal, then apply their changes from the start."""
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
        self._undone = {entry.change.taken for entry in entries if isinstance(entry.change, Undone)} - set(steps)
        self._begin()
        for entry in entries:
            self._highest = max(self._highest, getattr(entry.change, "number", 0))
            if entry.step not in self._undone and not isinstance(entry.change, (Undone, Redone)):
                self._take(entry.change, entry)
        self._taken = list(taken)
        self._steps = list(steps)[-STEPS + len(taken) :] if len(taken) < STEPS else []

    def _take(self, change: Change, entry: Entry) -> None:  # noqa: C901, PLR0912 (a case for each kind)
        if not isinstance(change, (Began, Ended, Grown, Rewritten, Stepped, SettingChanged)):
            self._standing.clear()
        match change:
            case Began():
                self._take_begin(change, entry)
            case Placed(cell, number):
                self._highest = max(self._highest, number)
                self.places.put(cell, number)
            case Ordered(cells):
                self.places.cell_order = cells
            case Grown(number, text, thinking):
                for turn in self._known([number]):
                    self._put(turn.changed(text=turn.text + text, thinking=turn.thinking + thinking))
            case Rewritten(number, text, thinking):
                for turn in self._known([number]):
                    self._put(turn.changed(text=text, thinking=thinking))
            case Stepped(number, place, step):
                for turn in self._known([number]):
                    self._put(turn.changed(steps=(*turn.steps[:place], step, *turn.steps[place + 1 :])))
            case Ended(number):
                for turn in self._known([number]):
                    self._put(_ended(turn, change))
                    self._put_all(first_with_text(self.group_of(turn)) if turn.group else ())
            case Chosen(number):
                for turn in self._known([number]):
                    self._put_all(chosen(self.group_of(turn), number, self.next_number))
            case SetAside(numbers, why, at):
                for turn in self._known(numbers):
                    self._put(turn.changed(aside=why, aside_at=at))
            case Restored(numbers):
                for turn in self._known(numbers):
                    self._put(turn.changed(aside="", aside_at=0.0))
            case SettingChanged(key, value):
                self._settings[entry.conversation, key] = value

    def _take_begin(self, change: Began, entry: Entry) -> None:
        turn = change.turn.changed(conversation=entry.conversation, step=entry.step, aside="", since=0)
        if turn.group:
            group = self._groups.setdefault(turn.group, [])
            turn = turn.changed(aside=ALTERNATIVE) if group else turn
            group.append(turn.number)
        self.places.began(turn, self._of(entry.conversation))
        if self.order:
            self._standing.clear()  # the places of other cells may have changed
        self._put(turn)
        self._put_all(first_with_text(self.group_of(turn)) if turn.group else ())
        self._highest = max(self._highest, turn.number)

    def _whole(self, turn: Turn) -> Turn:
        return with_alternatives(turn, self.group_of(turn)) if turn.group else turn

    def _put_all(self, turns: Iterable[Turn]) -> None:
        for turn in turns:
            self._put(turn)

    def _put(self, turn: Turn) -> None:
        """Note a turn; if it is the last of those that count, as the newest mostly is, the others stay in order."""
        known, self._turns[turn.number] = turn.number in self._turns, turn
        standing = self._standing.pop(turn.conversation, None)
        if not standing or turn.group or not turn.counts:
            return
        newest = standing[-1].number == turn.number
        if newest or (not known and (key := self.places.keys(self.order))(turn) > key(standing[-1])):
            standing[len(standing) - newest :] = [turn]
            self._standing[turn.conversation] = standing

    def _of(self, conversation: str) -> Iterator[Turn]:
        return (turn for turn in self._turns.values() if turn.conversation == conversation)

    def _known(self, numbers: Iterable[int]) -> list[Turn]:
        return [self._turns[number] for number in numbers if number in self._turns]


def _ended(turn: Turn, change: Ended) -> Turn:
    settings = turn.settings
    if change.model:
        settings = replace(settings, model=change.model, digest=change.digest)
    return turn.changed(outcome=change.outcome, settings=settings)


def after_a_crash(fold: Fold) -> list[Ended | Restored]:
    """Return the changes after a crash in mid-answer: the turn is cut; without text, earlier turns are restored."""
    changes: list[Ended | Restored] = []
    for turn in fold.running:
        changes.append(Ended(turn.number, Outcome(CUT, "the kernel ended in mid-answer")))
        begun = any(one.text or one.steps for one in fold.group_of(turn))
        replaced = [] if begun else replaced_by(fold, turn.step)
        if replaced:
            changes.append(Restored(tuple(replaced)))
    newest = fold.newest_set_aside
    if newest and not any(isinstance(entry.change, (Began, Restored)) for entry in fold.entries_of(newest)):
        replaced = replaced_by(fold, newest)  # it died before the new turn began
        changes += [Restored(tuple(replaced))] if replaced else []
    return changes


def replaced_by(fold: Fold, step: int) -> list[int]:
    """Return the numbers of the turns that a run replaced and that are still set aside."""
    turns = [fold.turn(number) for number in set_aside_by(fold, step)]
    return [turn.number for turn in turns if turn is not None and turn.aside == "replaced"]


def set_aside_by(fold: Fold, step: int) -> list[int]:
    """Return the numbers of the turns that a run replaced, in whichever state they are now."""
    aside = (entry.change for entry in fold.entries_of(step) if isinstance(entry.change, SetAside))
    return [number for change in aside if change.why == "replaced" for number in change.numbers]
