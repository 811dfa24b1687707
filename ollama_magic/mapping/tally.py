"""The outcomes of a map as they come in: written on the loop, read and awaited from any thread."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from ollama_magic.conversation.reply import RUNNING
from ollama_magic.mapping.outcome import COMPLETE, FAILED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ollama_magic.display.map_progress import MapProgress
    from ollama_magic.mapping.outcome import Outcome


class Tally:
    """What became of each row; a place is the row's position plus those of the models before.

    Attributes:
        outcomes: The outcome of each place, None while it is not answered.
        order: The places in the order in which they finished.
        progress: The counts, for the views.
    """

    def __init__(self, progress: MapProgress) -> None:
        self.outcomes: list[Outcome | None] = [None] * progress.total
        self.order: list[int] = []
        self.progress = progress
        self.changed = threading.Condition()
        self._awaited: list[int] = []  # how many places each waiting thread knows

    def finish(self, places: Iterable[int], outcome: Outcome) -> None:
        """Note how these places ended; they share one answer."""
        progress = self.progress
        for number, place in enumerate(places):
            self.outcomes[place] = outcome
            self.order.append(place)
            progress.finished(
                complete=outcome.state == COMPLETE,
                cached=outcome.cached,
                tokens=0 if outcome.cached or number else outcome.tokens or 0,
                error=outcome.error,
            )
        self.wake()

    def finish_cached(self, found: Sequence[tuple[int, Outcome]]) -> None:
        """Note answers that were in the store."""
        outcomes, order = self.outcomes, self.order
        for place, outcome in found:
            outcomes[place] = outcome
            order.append(place)
        self.progress.complete += len(found)
        self.progress.cached += len(found)
        self.wake()

    def reopen(self) -> list[int]:
        """Forget what failed; return the places that have no answer."""
        for place, outcome in enumerate(self.outcomes):
            if outcome is not None and outcome.state == FAILED:
                self.outcomes[place] = None
        self.order = [place for place in self.order if self.outcomes[place] is not None]
        return [place for place, outcome in enumerate(self.outcomes) if outcome is None]

    def wake(self) -> None:
        """Wake whoever waits for what is there now; a thread that waits for the end is not woken by each row."""
        if any(known < len(self.order) for known in self._awaited) or self.progress.state != RUNNING:
            with self.changed:
                self.changed.notify_all()

    def wait(self, known: int, seconds: float) -> None:
        """Wait until more than `known` places have finished, or the time is over."""
        with self.changed:
            self._awaited.append(known)
            try:
                if len(self.order) <= known:
                    self.changed.wait(seconds)
            finally:
                self._awaited.remove(known)
