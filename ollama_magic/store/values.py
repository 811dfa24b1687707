"""What the store keeps, as values, and the checksums that tell whether it is what was written. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

Writer = tuple[int, float]  # a process: its id and its start time


@dataclass(frozen=True)
class Row:
    """One change of a notebook's journal, as the store keeps it; the store never reads `body`.

    `counter` is the place in the journal, from 1 and unique per notebook; `step` is what one execution or command did.
    """

    counter: int
    step: int
    conversation: str
    kind: str
    body: str


@dataclass(frozen=True)
class NotebookRecord:
    """A notebook the store knows: where it was last seen, which cells ran in it, and who writes it (None: nobody)."""

    id: str
    path: str
    inode: int
    device: int
    cells: frozenset[str]
    seen_at: float
    writer: Writer | None = None


@dataclass(frozen=True)
class Head:
    """What a notebook's rows add up to, whatever their order: so a lost row is found, and not only a changed one.

    `damaged` names the file in which some of them could not be read.
    """

    first: int = 0
    count: int = 0
    total: int = 0
    damaged: str = ""

    def plus(self, counter: int, checksum: bytes) -> Head:
        """The head with one row more."""
        first = min(self.first or counter, counter)
        return Head(first, self.count + 1, self.total ^ int.from_bytes(checksum, "big"))

    def minus(self, checksum: bytes) -> Head:
        """The head with one row less."""
        return Head(self.first, self.count - 1, self.total ^ int.from_bytes(checksum, "big"), self.damaged)


@dataclass(frozen=True)
class Found:
    """A row as it was read, with the checksum that stood beside it; no row where it could not be read."""

    row: Row | None
    checksum: bytes


@dataclass(frozen=True)
class Reading:
    """The rows of a notebook that can be trusted; not `whole`: some are missing, `damaged` may say where."""

    rows: tuple[Row, ...] = ()
    whole: bool = True
    damaged: str = ""


def to_bytes(text: str) -> bytes:
    """A text as the store keeps it: lone surrogates and zeros come back as they were."""
    return text.encode("utf8", "surrogatepass")


def from_bytes(data: bytes) -> str:
    """The text that `to_bytes` was given."""
    return data.decode("utf8", "surrogatepass")


def row_checksum(notebook: str, row: Row) -> bytes:
    """The checksum over all columns of a row and its notebook, so that swapped rows are found too."""
    return _checksum(notebook, str(row.counter), str(row.step), row.conversation, row.kind, row.body)


def record_checksum(record: NotebookRecord) -> bytes:
    """The checksum over what is kept of a notebook; its writer is not part of it."""
    numbers = (str(record.inode), str(record.device), repr(float(record.seen_at)))
    return _checksum(record.id, record.path, *numbers, *sorted(record.cells))


def trusted(notebook: str, found: Sequence[Found], head: Head) -> Reading:
    """All rows if they are what was written and none is missing, else those before the first doubt.

    What follows a lost change cannot be trusted: it may have set a turn aside, or cleared the conversation.
    """
    good, total = [], 0
    for each in found:
        total ^= int.from_bytes(each.checksum, "big")
        if each.row and row_checksum(notebook, each.row) == each.checksum:
            good.append(each.row)
    if len(good) == len(found) and (len(good), total) == (head.count, head.total):
        return Reading(tuple(good), not head.damaged, head.damaged)
    return Reading(tuple(_unbroken(notebook, found, head.first or 1)), whole=False, damaged=head.damaged)


def _unbroken(notebook: str, found: Sequence[Found], first: int) -> list[Row]:
    rows: list[Row] = []
    for counter, each in enumerate(found, first):
        row = each.row
        if row is None or row.counter != counter or row_checksum(notebook, row) != each.checksum:
            break
        rows.append(row)
    return rows


def _checksum(*parts: str) -> bytes:
    data = [to_bytes(part) for part in parts]
    lengths = " ".join(str(len(part)) for part in data)
    return blake2b(b"\n".join([lengths.encode(), *data]), digest_size=16).digest()
