"""Saves a kernel's journal: finds out which notebook this is, and writes to the store."""

from __future__ import annotations

import logging
import os
import time
import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ollama_magic.conversation.change_json import contents_in, from_json, kind_of, to_json
from ollama_magic.conversation.changes import Began, Entry
from ollama_magic.notebook.evidence import find_path, find_renamed, gather, ids_in, saved_at
from ollama_magic.notebook.identity import Verdict, cell_mark, identify, prompt_mark, taken_up
from ollama_magic.store.store import NotebookRecord, Row, Store, alive, this_process

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from concurrent.futures import Future
    from pathlib import Path

    from ollama_magic.conversation.changes import Change
    from ollama_magic.notebook.identity import Evidence, VerdictKind
    from ollama_magic.notebook.notebook_file import ChatCell

KERNEL_FILE = ".json"  # what a kernel's name ends in
logger = logging.getLogger("ollama_magic.notebook")


@dataclass(frozen=True)
class NotebookContext:
    """What shows which notebook this is: the setting, the user's variables, the environment, and how to read a cell.

    `kernel_name` lasts as long as the front end's session, across restarts; empty if there is none.
    """

    setting: str
    user_ns: Mapping[str, object]
    environ: Mapping[str, str]
    read_cell: Callable[[str], ChatCell | None]
    kernel_name: str = ""


class Persistence:
    """Connects one kernel's journal to the store; without a path nothing is written to disk."""

    def __init__(self, store: Store, context: NotebookContext) -> None:
        self.store = store
        self.on_first_write: Callable[[Path], None] = lambda path: None  # noqa: ARG005
        self._context = context
        self._kernel = this_process()
        self._verdict = Verdict("none")
        self._evidence: Evidence | None = None
        self._record: NotebookRecord | None = None
        self._entries: dict[int, Entry] = {}
        self._saved = False  # whether the record is in the store
        self._news = ""
        self._looked_at = 0.0
        store.on_replaced(self._catch_up)

    @property
    def kind(self) -> VerdictKind:
        """Which notebook this is, in the words of `identity.Verdict`."""
        return self._verdict.kind

    @property
    def path(self) -> Path | None:
        """Where the notebook was when it was found, if that is known."""
        return self._evidence.path if self._evidence else None

    def path_now(self) -> Path | None:
        """Where the notebook is now: it may have been renamed since."""
        if self.path is None or self._record is None:
            return self.path
        return find_renamed(self.path, self._record, self._context.read_cell)

    @property
    def other(self) -> NotebookRecord | None:
        """The old notebook at this path, the original of this copy, or the one that another kernel writes."""
        return self._verdict.other

    def verdict_line(self) -> str:
        """Return one line for the user if no turns of this notebook were found, else ""."""
        if self.kind == "in use":
            return (
                "Another kernel is writing this notebook's conversation: this one begins empty and is saved "
                "separately; `%ollama open .` loads the saved turns."
            )
        if self.kind == "new" and self.other is not None:
            return "Another notebook stood at this path before; its conversation comes back when one of its cells runs."
        return "This notebook is a copy: its conversation begins empty." if self.kind == "copy" else ""

    def find(self, running_cell: str | None) -> list[Entry]:
        """Find out which notebook this is and claim it; return its stored changes."""
        records = self.store.notebooks()
        path = self._find_path(records, running_cell)
        self._evidence = evidence = gather(path, running_cell, self._kernel, records, self._context.read_cell)
        self._verdict = identify(evidence, records, alive)
        record = self._verdict.record
        if record is not None and not self.store.claim(record.id, self._kernel):
            self._verdict, record = Verdict("in use", other=record), None
        logger.info("%s is %s%s", path, self._verdict.kind, f", before {record.path}" if record else "")
        return self._adopt(record)

    def ran(self, cell: str | None) -> list[Entry]:
        """Note that a cell runs; return the notebook's stored changes if this cell identifies it.

        Its kernel died before the first save, or it was renamed and only this cell distinguishes it from others.
        """
        if cell is None or self._evidence is None or self._record is None:
            return []
        fresh = replace(self._evidence, running_cell=cell).running_marks - self._record.cells
        found: list[Entry] = []
        if fresh and self._verdict.kind == "new" and not self._saved:
            old = taken_up(self._verdict, fresh, self._kernel, alive)
            if old is not None and self.store.claim(old.id, self._kernel):
                self._verdict = Verdict("same", record=old)
                logger.info("%s is taken up: a cell of it runs", old.path)
                found = self._adopt(old)
            elif not saved_at(self.path) and self._find_path(self.store.notebooks(), cell) != self.path:
                found = self.find(cell)
        self._learn(fresh)
        return found

    def cells_saved(self, since: float) -> frozenset[str]:
        """The cells in the notebook's file if it was saved after `since` and not read since then; else none."""
        saved = saved_at(self.path)
        if saved <= max(since, self._looked_at):
            return frozenset()
        self._looked_at = saved
        return ids_in(self.path, self._context.read_cell)

    def news(self) -> str:
        """Return, once, the line that another kernel has begun to write this notebook since it was loaded."""
        self._check_for_another_kernel()
        news, self._news = self._news, ""
        return news

    def save(self, entry: Entry) -> Future[None] | None:
        """Hand a change to the store."""
        if self._record is None:
            return None
        self._check_for_another_kernel()
        if not self._saved:
            self._saved = True
            if not os.path.exists(self.store.path):  # noqa: PTH110 (Path.exists() raises for a name that is too long)
                self.on_first_write(self.store.path)
            self.store.claim(self._record.id, self._kernel)
            self.store.save_notebook(self._record)
        self._learn_prompt(entry.change)
        self._entries[entry.counter] = entry
        return self.store.append(self._record.id, [_row(entry)])

    def erase(self, counters: list[int]) -> Future[None] | None:
        """Erase these changes from the store and its files."""
        for counter in counters:
            self._entries.pop(counter, None)
        return self.store.erase(self._record.id, counters) if self._record is not None and self._saved else None

    def close(self) -> None:
        """Release the notebook and save what is pending."""
        if self._record is not None and self._saved:
            self.store.release(self._record.id)
        self.store.close()

    def _find_path(self, records: list[NotebookRecord], running_cell: str | None) -> Path | None:
        seen = self._context
        return find_path(
            seen.setting, seen.user_ns, seen.environ, records, seen.read_cell, running_cell, seen.kernel_name
        )

    def _adopt(self, record: NotebookRecord | None) -> list[Entry]:
        evidence = self._evidence
        if evidence is None or evidence.path is None:
            return []
        path, started_as = str(evidence.path), self._find_path([], None)
        before = {record.path, str(started_as), *record.known_as} if record else set()
        earlier = {name for name in before if not name.endswith(KERNEL_FILE)}
        self._record = NotebookRecord(
            record.id if record else uuid.uuid4().hex,
            "" if self._verdict.kind == "in use" else path,
            evidence.inode,
            evidence.device,
            (record.cells if record else frozenset()) | evidence.marks_to_store,
            time.time(),
            self._kernel,
            frozenset({*earlier, self._context.kernel_name} - {path, ""}),
        )
        if record is None:
            return []
        self._saved = True
        self.store.save_notebook(self._record)
        entries = [entry for row in self.store.rows(record.id) if (entry := _entry(row))]
        self._entries = {entry.counter: entry for entry in entries}
        if self.store.problem:  # what was found may be in a damaged file only
            self._catch_up()
        return entries

    def _catch_up(self) -> None:
        """Save everything known about this notebook in a store that has lost it."""
        if self._record is not None and self._saved:
            self.store.save_notebook(self._record)
            self.store.append(self._record.id, [_row(entry) for entry in list(self._entries.values())])

    def _check_for_another_kernel(self) -> None:
        """Before the first write: of two kernels that loaded one notebook, the second saves its turns separately."""
        if self._saved or self._record is None or self._evidence is None or self._verdict.kind == "in use":
            return
        records = self.store.notebooks()
        verdict = identify(self._evidence, records, alive)
        if verdict.kind == "in use":  # or it is a copy of a notebook that was not known yet when this one was loaded
            seen = self._evidence
            evidence = gather(seen.path, seen.running_cell, self._kernel, records, self._context.read_cell)
            verdict = identify(evidence, records, alive)
        if verdict.kind == "in use":
            self._verdict, self._record = verdict, replace(self._record, path="")
            self._news = self.verdict_line()

    def _learn_prompt(self, change: Change) -> None:
        """Identify the notebook by its prompts if its cell ids do not last."""
        if not isinstance(change, Began) or not change.turn.cell or self._evidence is None:
            return
        if cell_mark(change.turn.cell, self._evidence.nbformat, self._kernel) != change.turn.cell:
            self._learn(frozenset({prompt_mark(change.turn.prompt)}))

    def _learn(self, marks: frozenset[str]) -> None:
        if self._record is not None and not marks <= self._record.cells:
            self._record = replace(self._record, cells=self._record.cells | marks, seen_at=time.time())
            if self._saved:
                self.store.save_notebook(self._record)


def _row(entry: Entry) -> Row:
    change = entry.change
    return Row(entry.counter, entry.step, entry.conversation, kind_of(change), to_json(change), contents_in(change))


def _entry(row: Row) -> Entry | None:
    change = from_json(row.kind, row.body, row.contents)
    return Entry(row.counter, row.step, row.conversation, change) if change is not None else None
