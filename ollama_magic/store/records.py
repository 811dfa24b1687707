"""The values in the store, and their checksums. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Writer = tuple[int, float]  # a process: its id and its start time


@dataclass(frozen=True)
class Row:
    """One change of a notebook's journal; the store never reads `body`.

    `counter` is the position in the journal, from 1 and unique per notebook; `step` groups what one execution or
    command did. `contents` are larger bytes that the body names by their SHA-256 in hexadecimal; each is stored once.
    """

    counter: int
    step: int
    conversation: str
    kind: str
    body: str
    contents: Mapping[str, bytes] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True)
class NotebookRecord:
    """A known notebook: where it was last seen, which cells ran in it, and which process writes it, if any.

    `known_as` are its paths before it was renamed, and the name of the last kernel that wrote it.
    """

    id: str
    path: str
    inode: int
    device: int
    cells: frozenset[str]
    seen_at: float
    writer: Writer | None = None
    known_as: frozenset[str] = frozenset()


@dataclass(frozen=True)
class StoredRow:
    """A row as read, None if it is unreadable, with its stored checksum."""

    row: Row | None
    checksum: bytes


def to_bytes(text: str) -> bytes:
    """Encode a text, lone surrogates and zeros included."""
    return text.encode("utf8", "surrogatepass")


def from_bytes(data: bytes) -> str:
    """Decode what `to_bytes` encoded."""
    return data.decode("utf8", "surrogatepass")


def row_checksum(notebook: str, row: Row) -> bytes:
    """Return the checksum of a row with its notebook, so that swapped rows are found too."""
    return _checksum(notebook, str(row.counter), str(row.step), row.conversation, row.kind, row.body)


def record_checksum(record: NotebookRecord) -> bytes:
    """Return the checksum of a notebook's record without its writer."""
    numbers = (str(record.inode), str(record.device), repr(float(record.seen_at)))
    known_as = ["known as", *sorted(record.known_as)] if record.known_as else []
    return _checksum(record.id, record.path, *numbers, *sorted(record.cells), *known_as)


def trusted(notebook: str, stored: Sequence[StoredRow], *, sound: bool) -> list[Row]:
    """Return all rows if they are intact, else those before the first damaged or missing one.

    What follows a lost change cannot be trusted. In a file that is not `sound`, rows may be missing without a trace.
    """
    good = [each.row for each in stored if each.row and row_checksum(notebook, each.row) == each.checksum]
    if sound and len(good) == len(stored):
        return good
    first = good[0].counter if sound and good and good[0] == stored[0].row else 1
    behind = next((place for place, row in enumerate(good) if row.counter != first + place), len(good))
    return good[:behind]


def _checksum(*parts: str) -> bytes:
    data = [to_bytes(part) for part in parts]
    lengths = " ".join(str(len(part)) for part in data)
    return blake2b(b"\n".join([lengths.encode(), *data]), digest_size=16).digest()
