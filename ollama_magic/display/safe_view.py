"""Stands between a turn and its view: a view that fails is replaced and reported, and the turn continues."""

from __future__ import annotations

import logging
import warnings
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from ollama_magic.conversation.reply import Reply
from ollama_magic.log import log_fault

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)

REST_S = 1.0
logger = logging.getLogger("ollama_magic.display")


class DisplayFailed(RuntimeWarning):
    """A view failed, but the answer continues; an error if warnings are errors, as in tests."""


def warn_of_failure(what: str, error: Exception) -> None:
    """Log the traceback of a display error, and warn in one line."""
    warnings.warn(f"{what}: {log_fault(logger, error)}", DisplayFailed, stacklevel=4)


class ViewOf(Protocol[T_contra]):
    """A view of something that grows: a reply, or a download."""

    def begin(self, shown: T_contra, stop: Callable[[], None], /) -> None:
        """Open the display, in the main thread and in the cell."""

    def show(self, shown: T_contra, /) -> float:
        """Paint it; return the seconds to wait before the next paint."""

    def finish(self, shown: T_contra, /) -> None:
        """Paint for the last time, and settle."""


class SafeView(Generic[T]):
    """Shows a reply or a download with the first of its views that works."""

    def __init__(self, *views: ViewOf[T]) -> None:
        self._views: list[Any] = list(views)

    def begin(self, reply: T, stop: Callable[[], None]) -> None:
        """Begin with the first view that works."""
        while self._views:
            try:
                return self._views[0].begin(reply, stop)  # type: ignore[no-any-return]
            except Exception as error:  # noqa: BLE001 (whatever a front end's library raises)
                self._drop(error)
        return None

    def show(self, reply: T) -> float:
        """Paint; a view that raises is dropped."""
        if not self._views:
            return REST_S
        try:
            return float(self._views[0].show(reply))
        except Exception as error:  # noqa: BLE001
            self._drop(error)
            return REST_S

    def finish(self, reply: T) -> None:
        """Settle with the first view that works."""
        while self._views:
            try:
                return self._views[0].finish(reply)  # type: ignore[no-any-return]
            except Exception as error:  # noqa: BLE001
                self._drop(error)
        return None

    def _drop(self, error: Exception) -> None:
        del self._views[0]
        rest = "continues in a simpler form" if self._views else "is saved, but cannot be shown"
        warn_of_failure(f"The display failed; what it showed {rest}", error)


class SafeReplyView(SafeView[Reply]):
    """Guards the views of a reply, which may be settled more than once."""

    @property
    def asks(self) -> bool:
        """Whether its view has buttons for a question."""
        return bool(self._views) and bool(self._views[0].asks)

    def refresh_settled(self, reply: Reply) -> None:
        """Update the settled view."""
        if self._views:
            try:
                self._views[0].refresh_settled(reply)
            except Exception as error:  # noqa: BLE001
                self._drop(error)
