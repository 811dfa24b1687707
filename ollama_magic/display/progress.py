"""Opens what shows a pull or create: bars in widgets, HTML that is updated, or the lines for a terminal, made here."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from ollama_magic.display.guarded import Guarded, Shows
from ollama_magic.display.progress_html import REST_S, UpdatingProgress
from ollama_magic.display.progress_words import ending, figures, pace, settled
from ollama_magic.display.readable import bytes_text
from ollama_magic.display.transfer import Transfer

if TYPE_CHECKING:
    from collections.abc import Callable


class TextProgress:
    """Lines for a terminal or a script: each step of the server, and of a large layer every so many percent."""

    def __init__(self) -> None:
        self._status = ""
        self._told = 0

    def begin(self, transfer: Transfer, stop: Callable[[], None]) -> None:  # noqa: ARG002 (■ and Ctrl-C stop it)
        """Nothing is known yet."""
        watched = bool(getattr(sys.stdout, "isatty", bool)())
        self._step = 10 if watched else 25

    def show(self, transfer: Transfer) -> float:
        """Print what is new."""
        if transfer.status not in (self._status, "success"):
            self._status, self._told = transfer.status, 0
            layer = transfer.open_layer
            self._write(transfer.status + (f" ({bytes_text(layer.total)})" if layer else ""))
        layer = transfer.open_layer
        reached = int(layer.share * 100) // self._step * self._step if layer else 0
        if layer and self._told < reached < 100:
            self._told = reached
            self._write("  " + " · ".join(filter(None, (figures(transfer), pace(transfer)))))
        return REST_S

    def finish(self, transfer: Transfer) -> None:
        """Print how it ended."""
        self.show(transfer)
        if ending(transfer):
            self._write(settled(transfer).text)

    @staticmethod
    def _write(line: str) -> None:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


def open_progress(mode: str) -> Shows[Transfer]:
    """Return a view for a resolved display mode: "widget", "html" or "text"."""
    if mode == "text":
        return Guarded[Transfer](TextProgress())
    spare = UpdatingProgress()
    if mode == "html":
        return Guarded[Transfer](spare)
    from ollama_magic.display.bars import LiveProgress

    return Guarded[Transfer](LiveProgress(spare), spare)
