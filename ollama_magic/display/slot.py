"""The owner of a display id, and the register of widgets that outlive their answer."""

from __future__ import annotations

import secrets
import threading
import weakref
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ollama_magic.conversation.reply import RUNNING
from ollama_magic.display.host import Request, current_shell
from ollama_magic.turns.step_json import steps_in_file

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ollama_magic.conversation.reply import Reply

SETTLED_TURNS = 50  # design.md §3: a page that was reloaded in mid-answer still shows its widgets


class Slot:
    """A display in a cell's output: opened in the main thread and in its cell, then updated from any thread."""

    def __init__(self, labels: Mapping[str, object]) -> None:
        self.labels = labels
        self.result: dict[str, object] = {}  # what the metadata says of an answer beyond its model and state
        self.display_id = secrets.token_hex(16)
        self.opened = False
        self.settled = False

    @property
    def reachable(self) -> bool:
        """Whether an update can still reach it: it was opened, and there is a shell."""
        return self.opened and current_shell() is not None

    def open(self, bundle: Mapping[str, object], reply: Reply) -> None:
        """Show the first bundle in the running cell."""
        from IPython import display

        self.opened = True
        settled_of(current_shell()).pop(self.labels.get("slot"), None)
        publish: Any = display.display
        publish(dict(bundle), raw=True, metadata=self.metadata(reply), display_id=self.display_id)

    def update(self, bundle: Mapping[str, object], reply: Reply) -> None:
        """Show another bundle, with the current state of the reply."""
        from IPython import display

        if self.reachable:
            self._remember(bundle, reply)
            publish: Any = display.update_display
            publish(dict(bundle), raw=True, metadata=self.metadata(reply), display_id=self.display_id)

    def settle(self, bundle: Mapping[str, object], reply: Reply) -> None:
        """Show the last bundle, once."""
        if not self.settled:
            self.settled = True
            self.update(bundle, reply)

    def _remember(self, bundle: Mapping[str, object], reply: Reply) -> None:
        settled = settled_of(current_shell())
        if reply.state != RUNNING:
            labels = {"model": reply.model, "state": reply.state, **self.result, **_steps_of(reply)}
            settled[self.labels.get("slot")] = dict(bundle), labels
        while len(settled) > SETTLED_TURNS:
            with suppress(KeyError, StopIteration, RuntimeError):  # another thread was faster
                del settled[next(iter(settled))]

    def metadata(self, reply: Reply) -> dict[str, Any]:
        """Return the metadata of an output (design.md §3)."""
        rest = dict(self.labels)
        first = {key: rest.pop(key, None) for key in ("slot", "conversation")}
        found = {"model": reply.model, "state": reply.state, **rest, **self.result, **_steps_of(reply)}
        return {"ollama_magic": {**first, **found}}


def _steps_of(reply: Reply) -> dict[str, object]:
    """Return the steps of an answer that has ended, as the notebook's file has them."""
    return {"steps": steps_in_file(list(reply.steps))} if reply.steps and reply.state != RUNNING else {}


@dataclass
class OpenWidgets:
    """The widgets of settled answers, until their cell runs again or `SETTLED_TURNS` later turns have settled."""

    _entries: deque[tuple[Request, Callable[[], None]]] = field(default_factory=deque)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, request: Request, close: Callable[[], None]) -> None:
        """Add an answer's widgets; the oldest are closed."""
        with self._lock:
            self._entries.append((request, close))
            late = [self._entries.popleft()[1] for _ in range(len(self._entries) - SETTLED_TURNS)]
        for shut in late:
            shut()

    def close_earlier(self, request: Request) -> None:
        """Close the widgets of earlier executions of this cell."""
        if request.cell is None:
            return
        with self._lock:
            mine = [one for one in self._entries if one[0].cell == request.cell and one[0] != request]
            self._entries = deque(one for one in self._entries if one not in mine)
        for _, shut in mine:
            shut()


Settled = dict[object, tuple[dict[str, object], dict[str, object]]]

_settled: weakref.WeakKeyDictionary[Any, Settled] = weakref.WeakKeyDictionary()
_of_shell: weakref.WeakKeyDictionary[Any, OpenWidgets] = weakref.WeakKeyDictionary()


def settled_of(shell: Any) -> Settled:
    """Return the last bundles and metadata of the newest slots, for pages that missed them."""
    return _settled.setdefault(shell, {}) if shell is not None else {}


def open_widgets(shell: Any) -> OpenWidgets:
    """Return the shell's own register of widgets that outlive their answer."""
    return _of_shell.setdefault(shell, OpenWidgets())
