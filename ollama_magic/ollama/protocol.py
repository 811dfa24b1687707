"""Ollama's wire format as values: bytes in, frozen dataclasses out, and back. No I/O lives here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Message:
    """One message of a conversation as the server takes it."""

    role: str
    content: str
    thinking: str = ""


@dataclass(frozen=True)
class ChatRequest:
    """What one turn sends (dossier §6.1); fields that are None or empty are left out of the body."""

    model: str
    messages: tuple[Message, ...]
    options: Mapping[str, object] = field(default_factory=dict)
    think: bool | str | None = None
    format: object = None
    keep_alive: float | str | None = None


@dataclass(frozen=True)
class Stats:
    """What the last chunk says of an answer: counts in tokens, times in nanoseconds; every field may be missing (§6.3)."""

    total_ns: int | None = None
    load_ns: int | None = None
    prompt_tokens: int | None = None
    prompt_ns: int | None = None
    answer_tokens: int | None = None
    answer_ns: int | None = None


@dataclass(frozen=True)
class ChatChunk:
    """One line of a stream: text to append, then perhaps the end, or an error instead of either."""

    content: str = ""
    thinking: str = ""
    done: bool = False
    done_reason: str | None = None
    stats: Stats | None = None
    error: str | None = None
    model: str = ""
