"""Adds the chunks of a stream to a reply, and notes how the stream ended."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ollama_magic.conversation.think_tags import CLOSE, ThinkTags, split_at_lone_close
from ollama_magic.errors import AnswerCut
from ollama_magic.ollama.server_errors import failed_in_stream

if TYPE_CHECKING:
    from ollama_magic.conversation.reply import Reply
    from ollama_magic.ollama.messages import ToolCall
    from ollama_magic.ollama.protocol import ChatChunk

UNMARKED = "the stream ended without its end mark"


class ReplyAccumulator:
    """Adds chunks to a reply; thinking that an old server sends inside the text is moved out of it (protocol.md §8).

    Tool calls are gathered until their round has ended: only then is it certain that they are whole.

    `retry_hint` says how to retry, in an error; `saves` is whether the text so far is saved, which an error says too.
    """

    def __init__(self, reply: Reply, retry_hint: str, *, saves: bool) -> None:
        self._reply = reply
        self._retry_hint = retry_hint
        self._saves = saves
        self._tags = ThinkTags()
        self._tail = ""
        self._thoughts = 0  # parts of earlier rounds
        self._calls: list[ToolCall] = []

    def add(self, chunk: ChatChunk) -> tuple[str, str]:
        """Add a chunk; return the thinking and the text that are certain by now."""
        reply = self._reply
        thinking, text = chunk.thinking, chunk.content
        self._calls += chunk.tool_calls
        if thinking or text:
            reply.status.chunks += 1
            reply.status.first_at = reply.status.first_at or time.monotonic()
        if thinking:
            self._tags = ThinkTags()
        if text and not self._tags.passed:
            tagged, text = self._tags.feed(text)
            thinking += tagged
        self._append(thinking, text)
        self._find_lone_close(text)
        return thinking, text

    def flush(self) -> tuple[str, str]:
        """Add what was held back as the possible beginning of a tag: nothing more will come."""
        thinking, text = self._tags.close()
        self._append(thinking, text)
        self._find_lone_close(text, ended=True)
        return thinking, text

    def end(self, last: ChatChunk) -> None:
        """Note what the last chunk says; raise ServerError or AnswerCut if the answer is not complete."""
        self._reply.stats = last.stats
        if last.error:
            raise failed_in_stream(last.error, self._saved, self._retry_hint)
        if last.cut:
            raise self.cut(last.cut)
        self._reply.done_reason = last.done_reason

    def take_round(self) -> tuple[tuple[ToolCall, ...], str, str]:
        """Return the calls that came in this round, with the thinking and the text before them.

        The text leaves the answer if there are calls: the answer is what follows the last of them.
        """
        calls, thoughts, text = tuple(self._calls), self._reply.thinking_parts[self._thoughts :], self._reply.text
        self._calls.clear()
        if not calls:
            return (), "", ""
        if text:
            self._reply.rewrite("", "")
        if thoughts:
            self._reply.thinking_parts.append("\n\n")
        self._thoughts, self._tags, self._tail = len(self._reply.thinking_parts), ThinkTags(), ""
        return calls, "".join(thoughts), text

    def lost_calls(self) -> tuple[ToolCall, ...]:
        """Return the calls of a round that never ended, and forget them: they may not be whole."""
        calls = tuple(self._calls)
        self._calls.clear()
        return calls

    def cut(self, why: str = UNMARKED) -> AnswerCut:
        """Return the error for an answer whose end is missing."""
        return AnswerCut.because(
            f"{why}; {self._saved}{'; ' * bool(self._saved)}{self._retry_hint} for a complete one."
        )

    @property
    def _saved(self) -> str:
        return "the text so far is kept" if self._saves and self._reply.text_parts else ""

    def _append(self, thinking: str, text: str) -> None:
        if thinking:
            self._reply.thinking_parts.append(thinking)
        if text:
            self._reply.text_parts.append(text)

    def _find_lone_close(self, text: str, *, ended: bool = False) -> None:
        """Move the text before a lone closing tag into the thinking, once something stands behind the tag."""
        reply, seen = self._reply, self._tail + text
        _, found, behind = seen.partition(CLOSE)
        waits = bool(found) and not seen.rpartition(CLOSE)[2].strip()
        self._tail = CLOSE if waits else seen[1 - len(CLOSE) :]
        if reply.thinking_parts or not found or not (ended or behind.strip()):
            return
        split = split_at_lone_close(reply.text)
        if split is not None and (ended or split[1]):
            reply.rewrite(*split)


def is_last(chunk: ChatChunk) -> bool:
    """Whether this chunk ends the stream."""
    return bool(chunk.done or chunk.error or chunk.cut)
