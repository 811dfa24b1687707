"""How a reply grows: what each chunk adds to it, and how its stream ends. Where chunks come from is not known here."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ollama_magic.conversation.reply import COMPLETE, Reply
from ollama_magic.conversation.think_tags import ThinkTags
from ollama_magic.errors import AnswerCut, ServerError

if TYPE_CHECKING:
    from ollama_magic.ollama.protocol import ChatChunk

UNMARKED = "the stream ended without its end mark"


class Growth:
    """Adds chunks to a reply; thinking that an old server has put into the text is taken out of it (dossier §8).

    `again` says how to ask once more; `keeps`: what came is kept for the next turn, and an error says so.
    """

    def __init__(self, reply: Reply, again: str, *, keeps: bool) -> None:
        self._reply = reply
        self._again = again
        self._keeps = keeps
        self._tags = ThinkTags()

    def take(self, chunk: ChatChunk) -> tuple[str, str]:
        """Add a chunk; return the thinking and the text that are certain by now."""
        reply = self._reply
        thinking, text = chunk.thinking, chunk.content
        if thinking or text:
            reply.chunks += 1
            reply.first_at = reply.first_at or time.monotonic()
        if thinking:
            self._tags = ThinkTags()
        if text and not self._tags.passed:
            tagged, text = self._tags.feed(text)
            thinking += tagged
        self._keep(thinking, text)
        return thinking, text

    def let_go(self) -> tuple[str, str]:
        """No more will come: add what was held back, for it might have been the beginning of a tag."""
        thinking, text = self._tags.close()
        self._keep(thinking, text)
        return thinking, text

    def end(self, last: ChatChunk) -> None:
        """Note what the last chunk says of the answer; raise ServerError or AnswerCut if that is not complete."""
        self._reply.stats = last.stats
        if last.error:
            raise ServerError(f"The server failed: {last.error.rstrip('.')}; {self._kept}{self._again}.")
        if last.cut:
            raise self.cut(last.cut)
        self._reply.done_reason = last.done_reason
        self._reply.end(COMPLETE)

    def cut(self, why: str = UNMARKED) -> AnswerCut:
        """The error that says that the end is missing."""
        return AnswerCut(f"The answer was cut: {why}; {self._kept}{self._again} for a whole one.")

    @property
    def _kept(self) -> str:
        return "the text so far is kept; " if self._keeps and self._reply.text_parts else ""

    def _keep(self, thinking: str, text: str) -> None:
        if thinking:
            self._reply.thinking_parts.append(thinking)
        if text:
            self._reply.text_parts.append(text)


def is_last(chunk: ChatChunk) -> bool:
    """Whether nothing comes behind this chunk, for better or worse."""
    return bool(chunk.done or chunk.error or chunk.cut)
