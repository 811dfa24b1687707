"""The live view as design `ours` of a browser harness: it is fed token by token and keeps its own pace."""

from __future__ import annotations

import threading
import time

from ollama_magic.conversation.reply import COMPLETE, Reply, ReplyStatus
from ollama_magic.display.views import open_view
from ollama_magic.turns.turn_value import RequestSettings


class Ours:
    """`open`, `feed`, `close`, and `root`: the part of the output area with the streamed text, "" for all of it.

    As in a turn, a thread of its own paints whenever something came and the view has rested.
    """

    root = ".ollama-magic-answer, .ollama-magic"

    def __init__(self) -> None:
        self.reply = Reply(
            settings=RequestSettings(model="bench"), conversation="main", status=ReplyStatus(turns_sent=1)
        )
        self.view = open_view("widget", {"slot": "bench", "conversation": "main"})
        self.changed, self.over = threading.Event(), threading.Event()
        self.painter = threading.Thread(target=self._paint, daemon=True)

    def open(self) -> None:
        """Begin as a turn does, in the cell."""
        self.view.begin(self.reply, lambda: None)
        self.painter.start()

    def feed(self, delta: str) -> None:
        """Take a token."""
        self.reply.text_parts.append(delta)
        self.reply.status.chunks += 1
        self.reply.status.first_at = self.reply.status.first_at or time.monotonic()
        if not self.changed.is_set():
            self.changed.set()

    def close(self) -> None:
        """End as a turn does: the last paint, then the settled bundle."""
        self.reply.state, self.reply.status.ended_at = COMPLETE, time.monotonic()
        self.over.set()
        self.changed.set()
        self.painter.join()
        self.view.finish(self.reply)

    def _paint(self) -> None:
        while self.changed.wait() and not self.over.is_set():
            self.changed.clear()
            self.over.wait(self.view.show(self.reply))
