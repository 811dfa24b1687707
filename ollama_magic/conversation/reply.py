"""A reply as it grows: text, thinking, state and times. Views and users read it; only the turn writes it."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ollama_magic.errors import AnswerCut, InputError
from ollama_magic.foreign import printable

if TYPE_CHECKING:
    from ollama_magic.errors import OllamaMagicError
    from ollama_magic.ollama.address import Address
    from ollama_magic.ollama.protocol import Message, Stats
    from ollama_magic.ollama.requests import Request

RUNNING, COMPLETE, STOPPED, CUT, FAILED = "running", "complete", "stopped", "cut", "failed"
AS_MARKDOWN, AS_JSON, AS_TEXT = "markdown", "json", "text"
CHAT, GENERATE = "chat", "generate"

_FENCE = re.compile(r"^([ \t]*)(`{3,}|~{3,})([^\n]*)$")


@dataclass(eq=False, repr=False)
class Reply:
    """The answer of one turn.

    `text_parts` and `thinking_parts` only grow, so a view can remember how many it has seen.
    `state` is "running", "complete", "stopped", "cut" (the stream ended without its end mark) or "failed".
    `kind` is "chat", or "generate" for an answer that is no turn of a conversation; `form` is what its text is:
    "markdown", "json" or "text"; `host` is the server that was asked. Times are `time.monotonic()` seconds; None
    until they happen.
    """

    model: str = ""
    conversation: str | None = None
    before: tuple[str, ...] = ()
    kind: str = CHAT
    form: str = AS_MARKDOWN
    request: Request | None = None
    host: Address | None = None
    sent: tuple[Message, ...] = ()
    text_parts: list[str] = field(default_factory=list)
    thinking_parts: list[str] = field(default_factory=list)
    state: str = RUNNING
    error: OllamaMagicError | None = None
    stats: Stats | None = None
    done_reason: str | None = None
    notes: tuple[str, ...] = ()
    waiting: str = ""
    digest: str = ""
    unsaved: bool = False
    turns_sent: int = 0
    chunks: int = 0
    started_at: float = field(default_factory=time.monotonic)
    headers_at: float | None = None
    first_at: float | None = None
    ended_at: float | None = None

    @property
    def text(self) -> str:
        """The Markdown of the answer as it came."""
        return "".join(self.text_parts)

    @property
    def thinking(self) -> str:
        """What the model thought before it answered; empty if it did not."""
        return "".join(self.thinking_parts).strip()

    @property
    def code(self) -> list[str]:
        """The fenced code blocks of the answer, without their fences."""
        return fenced_blocks(self.text)

    @property
    def messages(self) -> list[dict[str, str]]:
        """What was sent, and the answer behind it, in the shape of Ollama's messages."""
        sent = [{"role": m.role, "content": m.content} for m in self.sent]
        return [*sent, {"role": "assistant", "content": self.text}]

    def end(self, state: str) -> None:
        """Note how it ended; only the first end counts."""
        if self.state == RUNNING:
            self.state, self.ended_at = state, time.monotonic()

    def fail(self, error: OllamaMagicError) -> None:
        """Note that it ended with this error, cut or failed; only the first end counts."""
        if self.state == RUNNING:
            self.error = error
            self.end(CUT if isinstance(error, AnswerCut) else FAILED)

    def json(self) -> Any:
        """Read the answer as JSON; a fenced block around it is taken off. Raises InputError if it is none."""
        why = "it ended before its end" if self.state != COMPLETE or self.done_reason == "length" else ""
        blocks = self.code
        for text in (self.text, *(blocks if len(blocks) == 1 else ())):
            try:
                return json.loads(text)
            except RecursionError:
                why = "it is nested too deeply"
            except ValueError as error:
                why = why or str(error)
        raise InputError(f"This answer is not JSON ({why}); ask for JSON, and for nothing around it: `-f json`.")

    def _repr_llm_(self) -> str:
        """What `{{reply}}` puts into a prompt."""
        return self.text

    def __repr__(self) -> str:
        mark = "" if self.state == COMPLETE else f"\n\n[{self.state}]"
        return printable(self.text) + mark


def fenced_blocks(text: str) -> list[str]:
    """Return the inside of every code fence of a Markdown text; one that is never closed runs to the end."""
    blocks: list[str] = []
    fence, indent, lines = "", "", list[str]()
    for line in text.splitlines():
        match = _FENCE.match(line)
        if not fence:
            if match and not (match[2][0] == "`" and "`" in match[3]):
                indent, fence, lines = match[1], match[2], []
        elif match and match[2].startswith(fence) and not match[3].strip():
            blocks.append("\n".join(lines))
            fence = ""
        else:
            lines.append(line.removeprefix(indent))
    return [*blocks, "\n".join(lines)] if fence else blocks
