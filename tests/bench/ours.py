"""The live view as design `ours` of the browser harness: it is fed token by token and keeps its own pace."""

from __future__ import annotations

import time

from ollama_magic.conversation.reply import COMPLETE, Reply
from ollama_magic.display.views import open_view


class Ours:
    """`open`, `feed`, `close`, and `root`: the part of the output area with the streamed text, "" for all of it."""

    root = ""

    def __init__(self) -> None:
        self.reply = Reply(model="bench", conversation="main", turns_sent=1)
        self.view = open_view("widget", {"slot": "bench", "conversation": "main"})
        self.next_paint = 0.0

    def open(self) -> None:
        """Begin as a turn does, in the cell."""
        self.view.begin(self.reply, lambda: None)

    def feed(self, delta: str) -> None:
        """Take a token; paint if the view has rested."""
        self.reply.text_parts.append(delta)
        self.reply.chunks += 1
        now = time.monotonic()
        self.reply.first_at = self.reply.first_at or now
        if now >= self.next_paint:
            self.next_paint = self.view.show(self.reply) + time.monotonic()

    def close(self) -> None:
        """End as a turn does: the last paint, then the settled bundle."""
        self.reply.state, self.reply.ended_at = COMPLETE, time.monotonic()
        self.view.finish(self.reply)
