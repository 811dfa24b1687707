"""The one owner of a display id, and the widgets that outlive their answer. What a slot shows is made elsewhere."""

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

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ollama_magic.conversation.reply import Reply

KEPT_TURNS = 50  # design §3: a page that was reloaded in mid-answer still shows its widgets


class Slot:
    """A place in a cell's output: opened once, in the main thread and in its cell, then updated from any thread."""

    def __init__(self, labels: Mapping[str, object]) -> None:
        self.labels = labels
        self.display_id = secrets.token_hex(16)
        self.opened = False
        self.settled = False

    @property
    def reachable(self) -> bool:
        """Whether an update can still reach the place: it was opened, and there is a shell that publishes."""
        return self.opened and current_shell() is not None

    def open(self, bundle: Mapping[str, object], reply: Reply) -> None:
        """Show the first bundle; from now on the place belongs to the running cell."""
        from IPython import display

        self.opened = True
        settled_of(current_shell()).pop(self.labels.get("slot"), None)
        publish: Any = display.display
        publish(dict(bundle), raw=True, metadata=self.metadata(reply), display_id=self.display_id)

    def update(self, bundle: Mapping[str, object], reply: Reply) -> None:
        """Put another bundle in the place, with the state that the reply has now."""
        from IPython import display

        if self.reachable:
            self._remember(bundle, reply)
            publish: Any = display.update_display
            publish(dict(bundle), raw=True, metadata=self.metadata(reply), display_id=self.display_id)

    def settle(self, bundle: Mapping[str, object], reply: Reply) -> None:
        """Put the last bundle in the place, once."""
        if not self.settled:
            self.settled = True
            self.update(bundle, reply)

    def _remember(self, bundle: Mapping[str, object], reply: Reply) -> None:
        settled = settled_of(current_shell())
        if reply.state != RUNNING:
            settled[self.labels.get("slot")] = dict(bundle), {"model": reply.model, "state": reply.state}
        while len(settled) > KEPT_TURNS:
            with suppress(KeyError, StopIteration, RuntimeError):  # another thread was quicker
                del settled[next(iter(settled))]

    def metadata(self, reply: Reply) -> dict[str, Any]:
        """What every output says of itself (design §3)."""
        rest = dict(self.labels)
        first = {key: rest.pop(key, None) for key in ("slot", "conversation")}
        return {"ollama_magic": {**first, "model": reply.model, "state": reply.state, **rest}}


@dataclass
class KeptOpen:
    """The widgets of settled answers, until their cell runs again or `KEPT_TURNS` later turns have settled."""

    _kept: deque[tuple[Request, Callable[[], None]]] = field(default_factory=deque)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def keep(self, request: Request, close: Callable[[], None]) -> None:
        """Take over an answer's widgets; the oldest are closed."""
        with self._lock:
            self._kept.append((request, close))
            late = [self._kept.popleft()[1] for _ in range(len(self._kept) - KEPT_TURNS)]
        for shut in late:
            shut()

    def run_again(self, request: Request) -> None:
        """Close what earlier executions of this cell left open."""
        if request.cell is None:
            return
        with self._lock:
            mine = [kept for kept in self._kept if kept[0].cell == request.cell and kept[0] != request]
            self._kept = deque(kept for kept in self._kept if kept not in mine)
        for _, shut in mine:
            shut()


Settled = dict[object, tuple[dict[str, object], dict[str, object]]]

_settled: weakref.WeakKeyDictionary[Any, Settled] = weakref.WeakKeyDictionary()
_of_shell: weakref.WeakKeyDictionary[Any, KeptOpen] = weakref.WeakKeyDictionary()


def settled_of(shell: Any) -> Settled:
    """The last bundles of the newest slots, with what their outputs say of themselves: for pages that missed them."""
    return _settled.setdefault(shell, {}) if shell is not None else {}


def kept_open(shell: Any) -> KeptOpen:
    """Return the shell's own register of widgets that outlive their answer."""
    return _of_shell.setdefault(shell, KeptOpen())
