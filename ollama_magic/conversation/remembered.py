"""A turn as it is remembered: its prompt, the answer, and whether it counts. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ollama_magic.conversation.reply import AS_MARKDOWN, COMPLETE, RUNNING, Reply
from ollama_magic.errors import OllamaMagicError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(eq=False)
class Turn:
    """A prompt and the answer to it, as they are remembered.

    `number` is its own in this notebook, `step` what made it; `aside` says why it does not count, empty if it does;
    `at` is in Unix seconds, `seconds` how long the answer took, `form` what its text is.
    """

    number: int
    conversation: str
    step: int
    prompt: str
    cell: str | None = None
    system: str = ""
    at: float = 0.0
    asked: str = ""
    form: str = AS_MARKDOWN
    text: str = ""
    thinking: str = ""
    state: str = RUNNING
    model: str = ""
    digest: str = ""
    error: str = ""
    seconds: float = 0.0
    stats: Mapping[str, int | None] = field(default_factory=dict)
    aside: str = ""
    aside_at: float = 0.0

    @property
    def empty(self) -> bool:
        """Whether it ended before any text, and not complete: then nothing is remembered of it."""
        return not self.text and self.state not in (COMPLETE, RUNNING)

    @property
    def counts(self) -> bool:
        """Whether it belongs to the conversation."""
        return not self.aside and not self.empty


def reply_of(turn: Turn) -> Reply:
    """The reply that a turn had, as far as it is remembered."""
    reply = Reply(turn.model, turn.conversation, form=turn.form, state=turn.state or COMPLETE)
    reply.text_parts += [turn.text] if turn.text else []
    reply.thinking_parts += [turn.thinking] if turn.thinking else []
    reply.error = OllamaMagicError(turn.error) if turn.error else None
    return reply
