"""Remembers the cell that ran last and the last one that failed, for `%ollama explain` and `%ollama fix`."""

from __future__ import annotations

import re
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from ollama_magic.errors import OllamaMagicError, TurnStopped
from ollama_magic.magics.executed_cells import about_chat

if TYPE_CHECKING:
    from ollama_magic.prompt.traceback_text import Place

_LOADING = re.compile(r"\s*%(?:re)?load_ext\s+ollama_magic\s*\Z")


class RanCell(NamedTuple):
    """A cell that ran: its number, None if it is unknown, its code, and what it raised."""

    number: int | None
    source: str
    error: BaseException | None = None


class LastCells:
    """Listens to the shell; cells that chat are not remembered, and neither are errors of this package.

    An exception is held until the next one, as IPython itself holds it for `%tb`.
    """

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self.ran: RanCell | None = None
        self._failed: RanCell | None = None

    def register(self) -> None:
        """Start listening."""
        self._shell.events.register("post_run_cell", self._ended)

    def unregister(self) -> None:
        """Stop listening, and let go of what is remembered."""
        with suppress(ValueError):
            self._shell.events.unregister("post_run_cell", self._ended)
        self.ran = self._failed = None

    @property
    def failed(self) -> RanCell | None:
        """The last cell that failed, also if that was before the extension was loaded."""
        return self._failed or self._failed_before()

    def _ended(self, result: Any = None) -> None:
        source = getattr(getattr(result, "info", None), "raw_cell", None)
        if not isinstance(source, str) or not source.strip() or _LOADING.match(source):
            return
        error = result.error_before_exec or result.error_in_exec
        ours = issubclass(type(error), (OllamaMagicError, TurnStopped))  # isinstance may ask the exception itself
        if ours or (error is None and about_chat(source)):
            return
        cell = RanCell(result.execution_count, source, error)
        if error is not None:
            self._failed = cell
        if not about_chat(source):
            self.ran = cell

    def _failed_before(self) -> RanCell | None:
        """Return the cell behind the exception that IPython itself remembers, if this shell ran it."""
        from ollama_magic.prompt.traceback_text import places_of, source_of

        error = getattr(sys, "last_value", None)
        if not isinstance(error, BaseException) or isinstance(error, OllamaMagicError | TurnStopped):
            return None
        places = [place for place in places_of(error.__traceback__) if self._is_cell(place)]
        return RanCell(None, "".join(source_of(places[0])), error) if places else None

    def _is_cell(self, place: Place) -> bool:
        return place.frame.f_globals is self._shell.user_ns and place.frame.f_code.co_name == "<module>"
