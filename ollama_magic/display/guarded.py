"""The door between a turn and its view: a view that fails is replaced and told of; it never takes the turn with it."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from ollama_magic.conversation.reply import Reply
    from ollama_magic.conversation.seams import View

REST_S = 1.0


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

    def again(self, reply: Reply) -> None:
        """Settle once more, with the view that settled."""
        if self._views:
            try:
                self._views[0].again(reply)
            except Exception as error:  # noqa: BLE001
                self._drop(error)

    def _drop(self, error: Exception) -> None:
        del self._views[0]
        rest = "goes on more plainly" if self._views else "is kept, but cannot be shown here"
        warnings.warn(f"The display failed ({error!r}); the answer {rest}.", DisplayFailed, stacklevel=3)
