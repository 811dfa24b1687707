"""Where the journal of this notebook goes: which notebook it is, and the store that keeps it."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ollama_magic.conversation.changes import Entry, from_json, kind_of, to_json
from ollama_magic.notebook.evidence import find_again, find_path, gather, ids_in, saved_at
from ollama_magic.notebook.notebook import COPY, IN_USE, NEW, NONE, Verdict, identify, prompt_mark, taken_up
from ollama_magic.store.store import NotebookRecord, Row, Store, alive, this_process

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from concurrent.futures import Future
    from pathlib import Path

    from ollama_magic.notebook.notebook import Evidence
    from ollama_magic.notebook.notebook_file import ChatCell


@dataclass(frozen=True)
class Place:
    """What tells where the notebook is: the setting, the user's variables, the environment, and how a cell is read."""

    setting: str
    user_ns: Mapping[str, object]
    environ: Mapping[str, str]
    read_cell: Callable[[str], ChatCell | None]


class Keeping:
    """The bond between one kernel's journal and the store; without a path nothing is written to disk."""

    def __init__(self, store: Store, place: Place) -> None:
        self.store = store
        self._place = place
        self._kernel = this_process()
        self._verdict = Verdict(NONE)
        self._evidence: Evidence | None = None
        self._record: NotebookRecord | None = None
        self._told = False
        self._news = ""
        self.on_first_write: Callable[[Path], None] = lambda path: None  # noqa: ARG005
        self._looked_at = 0.0

    @property
    def kind(self) -> str:
        """Which notebook this is, in the words of `notebook.Verdict`."""
        return self._verdict.kind

    @property
    def path(self) -> Path | None:
        """Where the notebook was when it was found, if that is known."""
        return self._evidence.path if self._evidence else None

    def path_now(self) -> Path | None:
        """Where the notebook is now: it may have been renamed since."""
        if self.path is None or self._record is None:
            return self.path
        return find_again(self.path, self._record, self._place.read_cell)

    @property
    def other(self) -> NotebookRecord | None:
        """The old notebook at this path, the original of this copy, or the one that another kernel writes."""
        return self._verdict.other

    def find(self, running_cell: str | None) -> list[Entry]:
        """Find out which notebook this is and claim it; return what is known of it."""
        place, records = self._place, self.store.notebooks()
        path = find_path(place.setting, place.user_ns, place.environ, records, place.read_cell, running_cell)
        self._evidence = evidence = gather(path, running_cell, self._kernel, records, place.read_cell)
        self._verdict = identify(evidence, records, alive)
        record = self._verdict.record
        if record is not None and not self.store.claim(record.id, self._kernel):
            self._verdict, record = Verdict(IN_USE, other=record), None
        return self._take(record)

    def ran(self, cell: str | None) -> list[Entry]:
        """Note that a cell runs; return what the old notebook knew whose kernel died before the first save."""
        if cell is None or self._evidence is None or self._record is None:
            return []
        seen = replace(self._evidence, running_cell=cell)
        fresh = seen.running_marks - self._record.cells
        found: list[Entry] = []
        if fresh and self._verdict.kind == NEW:
            old = taken_up(self._verdict, fresh, self._kernel, alive)
            if old is not None and not self._told and self.store.claim(old.id, self._kernel):
                self._verdict = Verdict("same", record=old)
                found = self._take(old)
        self._know(fresh)
        return found

    def cells_saved(self, since: float) -> frozenset[str]:
        """The cells in the notebook's file if it was saved after a time, and not looked at since; else none."""
        saved = saved_at(self.path)
        if saved <= max(since, self._looked_at):
            return frozenset()
        self._looked_at = saved
        return ids_in(self.path, self._place.read_cell)

    def news(self) -> str:
        """Say, once, that another kernel has begun to write this notebook since it was loaded here."""
        self._look_once_more()
        news, self._news = self._news, ""
        return news

    def keep(self, entry: Entry) -> Future[None] | None:
        """Hand a change to the store."""
        if self._record is None:
            return None
        self._look_once_more()
        if not self._told:
            self._told = True
            if not self.store.path.exists():
                self.on_first_write(self.store.path)
            self.store.claim(self._record.id, self._kernel)
            self.store.tell(self._record)
        change = entry.change
        row = Row(entry.counter, entry.step, entry.conversation, kind_of(change), to_json(change))
        return self.store.append(self._record.id, [row])

    def know_prompt(self, prompt: str) -> None:
        """Where ids do not last, prompts stand in for them."""
        if self._evidence is not None and self._evidence.nbformat < (4, 5):
            self._know(frozenset({prompt_mark(prompt)}))

    def erase(self, counters: list[int]) -> Future[None] | None:
        """Have these changes leave no byte behind."""
        return self.store.erase(self._record.id, counters) if self._record is not None and self._told else None

    def close(self) -> None:
        """Give up the notebook and save what is left."""
        if self._record is not None and self._told:
            self.store.release(self._record.id)
        self.store.close()

    def _take(self, record: NotebookRecord | None) -> list[Entry]:
        evidence = self._evidence
        if evidence is None or evidence.path is None:
            return []
        known = record.cells if record else frozenset[str]()
        self._record = NotebookRecord(
            record.id if record else uuid.uuid4().hex,
            "" if self._verdict.kind == IN_USE else str(evidence.path),
            evidence.inode,
            evidence.device,
            known | evidence.to_keep,
            time.time(),
            self._kernel,
        )
        if record is None:
            return []
        self._told = True
        self.store.tell(self._record)
        return [entry for row in self.store.rows(record.id) if (entry := _entry(row))]

    def _look_once_more(self) -> None:
        """Before the first write: of two kernels that were loaded before either wrote, the second is kept apart."""
        if self._told or self._record is None or self._evidence is None or self._verdict.kind == IN_USE:
            return
        verdict = identify(self._evidence, self.store.notebooks(), alive)
        if verdict.kind == IN_USE:
            self._verdict, self._record = verdict, replace(self._record, path="")
            self._news = told_of(self, 0, "", 0.0)

    def _know(self, marks: frozenset[str]) -> None:
        if self._record is not None and not marks <= self._record.cells:
            self._record = replace(self._record, cells=self._record.cells | marks, seen_at=time.time())
            if self._told:
                self.store.tell(self._record)


def _entry(row: Row) -> Entry | None:
    change = from_json(row.kind, row.body)
    return Entry(row.counter, row.step, row.conversation, change) if change is not None else None


def told_of(keeping: Keeping, turns: int, model: str, newest: float) -> str:
    """The line that loading says of what it found, if it found anything."""
    if keeping.kind == IN_USE:
        return (
            "Another kernel is writing this notebook's conversation: this one begins empty and is kept apart; "
            "`%ollama open .` brings the saved turns."
        )
    if turns:
        count = "1 turn" if turns == 1 else f"{turns} turns"
        clock = time.strftime("%H:%M", time.localtime(newest)) if newest else "before"
        named = f" with {model}" if model else ""
        return f"{count}{named} from {clock} will be sent; `%ollama clear` starts anew."
    if keeping.kind == NEW and keeping.other is not None:
        return "Another notebook stood at this path before; its conversation comes back when one of its cells runs."
    return "This notebook is a copy: its conversation begins empty." if keeping.kind == COPY else ""
