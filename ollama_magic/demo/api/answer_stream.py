"""One answer on its way to the client: streamed or whole, each piece at its time, with its statistics."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ollama_magic.demo.language_model import Finished, ModelError, Piece

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ollama_magic.demo.api.answer_lines import AnswerLines, Object
    from ollama_magic.demo.language_model import Event
    from ollama_magic.demo.transport.exchange import Exchange


@dataclass
class AnswerStream:
    """Sends the events of a language model.

    Args:
        exchange: The request and its reply.
        lines: How pieces are written.
        prompt_tokens: The size of the prompt, for a model that does not count it.
        load_ns: How long loading the model took, in nanoseconds.
        context: Makes the numbers of prompt and answer that `generate` sends along; None for none.
    """

    exchange: Exchange
    lines: AnswerLines
    prompt_tokens: int
    load_ns: int
    context: Callable[[str], list[int]] | None = None
    _finished: Finished = field(default_factory=Finished)
    _first: int = 0  # when the first piece came
    _pieces: list[Piece] = field(default_factory=list)

    def stream(self, events: Iterable[Event]) -> None:
        """Send a line for each piece; whatever is due at the same time goes out in one write."""
        self.exchange.streaming = True
        head, pending = self.exchange.start_stream(), list[bytes]()
        try:
            for piece in self._in_time(events):
                if piece:
                    pending.append(self.lines.piece(piece))
                if pending and (piece is None or not isinstance(events, list)):
                    self.exchange.send_lines(pending, head)
                    head, pending = b"", []
        except ModelError as error:
            if head:
                raise
            pending.append(self.lines.error(error.text))
        else:
            pending.append(self.lines.last(self._statistics()))
        self.exchange.send_lines(pending, head, last=True)

    def send_whole(self, events: Iterable[Event]) -> None:
        """Send one object when the answer is complete."""
        for _ in self._in_time(events):
            pass
        self.exchange.json(self.lines.whole(self._pieces, self._statistics()))

    def _in_time(self, events: Iterable[Event]) -> Iterator[Piece | None]:
        """The pieces, each when it is due; None before a pause, and while there is nothing new.

        ClientLeft as soon as the client has gone.
        """
        due = time.monotonic()
        for event in events:
            if isinstance(event, Finished):
                self._finished = event
            elif event is None:
                yield None
                self.exchange.pause()
            else:
                due += event.delay
                if (rest := due - time.monotonic()) > 0 and event.delay:
                    yield None
                    self.exchange.pause(rest)
                self._first = self._first or time.monotonic_ns()
                self._pieces.append(event)
                yield event

    def _statistics(self) -> Object:
        """The end of the last object: zeros are left out (protocol.md §6.3)."""
        now, arrived, finished = time.monotonic_ns(), self.exchange.arrived, self._finished
        first = self._first or now
        numbers = {
            "context": self.context("".join(piece.content for piece in self._pieces)) if self.context else None,
            "total_duration": now - arrived,
            "load_duration": self.load_ns,
            "prompt_eval_count": finished.prompt_tokens or self.prompt_tokens,
            "prompt_eval_duration": finished.prompt_duration or _whole_us(first - arrived - self.load_ns),
            "eval_count": finished.tokens or len(self._pieces),
            "eval_duration": finished.duration or _whole_us(now - first),
        }
        front = {"done": True, "done_reason": finished.done_reason}
        return {**front, **{key: value for key, value in numbers.items() if value}}


def _whole_us(nanoseconds: int) -> int:
    """A real server counts in whole µs, at least one."""
    return max(1000, nanoseconds // 1000 * 1000)
