"""A reply as it grows: text, thinking, state and times. Views read it; only the turn writes it."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ollama_magic.errors import OllamaMagicError
    from ollama_magic.ollama.protocol import Message, Stats

RUNNING, COMPLETE, STOPPED, CUT, FAILED = "running", "complete", "stopped", "cut", "failed"


@dataclass(eq=False)
class Reply:
    """The answer of one turn.

    `text_parts` and `thinking_parts` only grow, so a view can remember how many it has seen.
    Times are `time.monotonic()` seconds; None until they happen.
    """

    model: str = ""
    conversation: str | None = None
    messages: tuple[Message, ...] = ()
    before: tuple[str, ...] = ()
    text_parts: list[str] = field(default_factory=list)
    thinking_parts: list[str] = field(default_factory=list)
    state: str = RUNNING
    error: OllamaMagicError | None = None
    stats: Stats | None = None
    notes: tuple[str, ...] = ()
    waiting: str = ""
    turns_sent: int = 0
    chunks: int = 0
    started_at: float = field(default_factory=time.monotonic)
    first_at: float | None = None
    ended_at: float | None = None
