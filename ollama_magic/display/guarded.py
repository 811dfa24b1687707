"""The door between a turn and its view: a view that fails is replaced and told of; it never takes the turn with it."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from ollama_magic.conversation.reply import Reply

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)

REST_S = 1.0


class DisplayFailed(RuntimeWarning):
    """A view failed; the answer goes on. An error wherever warnings are errors, as in tests."""


class Shows(Protocol[T_contra]):
    """What shows something that grows: a reply, or a download."""

    def begin(self, shown: T_contra, stop: Callable[[], None], /) -> None:
        """Open the display, in the main thread and in the cell."""

    def show(self, shown: T_contra, /) -> float:
        """Paint it as it is; return the seconds to rest before the next paint."""

    def finish(self, shown: T_contra, /) -> None:
        """Paint for the last time, and settle."""


class Guarded(Generic[T]):
    """Shows with the first of its views that works. A spare continues in the slot of the one before.

    What grows is a reply, or a download that fills its place.
    """

    def __init__(self, *views: Shows[T]) -> None:
        self._views: list[Any] = list(views)

    def begin(self, reply: T, stop: Callable[[], None]) -> None:
        """Begin with the first view that can."""
        while self._views:
            try:
                return self._views[0].begin(reply, stop)  # type: ignore[no-any-return]
            except Exception as error:  # noqa: BLE001 (whatever a front end's library raises)
                self._drop(error)
        return None

    def show(self, reply: T) -> float:
        """Paint; a view that raises is painted no more."""
        if not self._views:
            return REST_S
        try:
            return float(self._views[0].show(reply))
        except Exception as error:  # noqa: BLE001
            self._drop(error)
            return REST_S

    def finish(self, reply: T) -> None:
        """Settle with the first view that can."""
        while self._views:
            try:
                return self._views[0].finish(reply)  # type: ignore[no-any-return]
            except Exception as error:  # noqa: BLE001
                self._drop(error)
        return None

    def _drop(self, error: Exception) -> None:
        del self._views[0]
        rest = "goes on more plainly" if self._views else "is kept, but cannot be shown here"
        warnings.warn(f"The display failed ({error!r}); what it showed {rest}.", DisplayFailed, stacklevel=3)


class GuardedView(Guarded[Reply]):
    """Guards the views of a reply, which may be settled more than once."""

    def again(self, reply: Reply) -> None:
        """Settle once more, with the view that settled."""
        if self._views:
            try:
                self._views[0].again(reply)
            except Exception as error:  # noqa: BLE001
                self._drop(error)
