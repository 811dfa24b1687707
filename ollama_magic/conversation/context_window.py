"""Whether the context window will hold the next turn: an estimate from real counts (design §3, «Before»). Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ollama_magic.conversation.fold import Turn

BYTES_A_TOKEN = 4  # of UTF-8, so that it is about right for Chinese too


def window_note(turns: Sequence[Turn], prompt: str, window: int | None) -> tuple[str, ...]:
    """The line that warns before a turn is sent behind these turns; nothing if it fits, or if nothing is known."""
    used = next((count for turn in reversed(turns) if (count := tokens_of(turn))), 0)
    about = used + len(prompt.encode("utf-8", "replace")) // BYTES_A_TOKEN
    if not window or not used or about <= window:
        return ()
    larger = 1 << (about * 5 // 4).bit_length()
    line = f"about {about:,} of {window:,} tokens: the server will drop the oldest turns"
    return (f"{line}; `-o num_ctx={larger}` keeps them",)


def tokens_of(turn: Turn) -> int:
    """What a turn left in the window: its prompt with all before it, and its answer."""
    return (turn.stats.get("prompt_tokens") or 0) + (turn.stats.get("answer_tokens") or 0)
