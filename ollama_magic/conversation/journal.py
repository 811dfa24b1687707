"""The journal: an append-only list of changes, of which every conversation of a notebook is a fold. Pure."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ollama_magic.ollama.protocol import Stats


@dataclass(frozen=True)
class Origin:
    """What made a change: the cell (None without one) and the number of its execution."""

    cell: str | None = None
    execution: int = 0


@dataclass(frozen=True)
class Turn:
    """A prompt and the answer to it, as they are remembered; `state` is that of the Reply, `at` is in Unix seconds."""

    prompt: str
    text: str
    state: str
    model: str
    thinking: str = ""
    system: str = ""
    error: str = ""
    stats: Stats | None = None
    seconds: float = 0.0
    at: float = 0.0


@dataclass(frozen=True)
class TurnAdded:
    """A turn ended and is remembered."""

    turn: Turn


@dataclass(frozen=True)
class Cleared:
    """The conversation begins anew; its settings stay."""


@dataclass(frozen=True)
class Told:
    """A setting of the conversation was told; None takes it back."""

    key: str
    value: object


Change = TurnAdded | Cleared | Told


@dataclass(frozen=True)
class Entry:
    """One change with its place in the journal; order is by counter and never by clock (design §4)."""

    counter: int
    conversation: str
    origin: Origin
    change: Change


@dataclass
class Journal:
    """The changes of one notebook, in order."""

    _entries: list[Entry] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def append(self, conversation: str, change: Change, origin: Origin) -> Entry:
        """Add a change, from any thread; return it with its counter."""
        with self._lock:
            entry = Entry(len(self._entries) + 1, conversation, origin, change)
            self._entries.append(entry)
        return entry

    def of(self, conversation: str) -> Iterator[Entry]:
        """Yield the changes of one conversation, oldest first."""
        return (entry for entry in self._entries if entry.conversation == conversation)
