"""The door between a turn and its view: a view that fails is replaced and told of; it never takes the turn with it."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from ollama_magic.conversation.reply import Reply

REST_S = 1.0


class View(Protocol):
    """What shows a reply, as the turn sees it."""

    def begin(self, reply: Reply, stop: Callable[[], None]) -> None:
        """Open the display, in the main thread and in the cell."""

    def show(self, reply: Reply) -> float:
        """Paint; return the seconds to rest."""

    def finish(self, reply: Reply) -> None:
        """Paint for the last time, and settle."""


class DisplayFailed(RuntimeWarning):
    """A view failed; the answer goes on. An error wherever warnings are errors, as in tests."""


class GuardedView:
    """Shows with the first of its views that works. A spare continues in the slot of the one before."""

    def __init__(self, *views: View) -> None:
        self._views = list(views)

    def begin(self, reply: Reply, stop: Callable[[], None]) -> None:
        """Begin with the first view that can."""
        while self._views:
            try:
                return self._views[0].begin(reply, stop)
            except Exception as error:  # noqa: BLE001 (whatever a front end's library raises)
                self._drop(error)
        return None

    def show(self, reply: Reply) -> float:
        """Paint; a view that raises is painted no more."""
        if not self._views:
            return REST_S
        try:
            return self._views[0].show(reply)
        except Exception as error:  # noqa: BLE001
            self._drop(error)
            return REST_S

    def finish(self, reply: Reply) -> None:
        """Settle with the first view that can."""
        while self._views:
            try:
                return self._views[0].finish(reply)
            except Exception as error:  # noqa: BLE001
                self._drop(error)
        return None

    def _drop(self, error: Exception) -> None:
        del self._views[0]
        rest = "goes on more plainly" if self._views else "is kept, but cannot be shown here"
        warnings.warn(f"The display failed ({error!r}); the answer {rest}.", DisplayFailed, stacklevel=3)
