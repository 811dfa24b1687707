"""Whether a turn fits the context window: an estimate before it, counts after it (protocol.md §13). Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ollama_magic.turns.turn_messages import prompt_with

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ollama_magic.ollama.message_list import MessageList
    from ollama_magic.ollama.messages import Message
    from ollama_magic.ollama.stats import Stats
    from ollama_magic.turns.turn_value import Turn

BYTES_A_TOKEN = 4  # of UTF-8: about right for Chinese too
MOST_BYTES = 6  # of a token, on average, in all but the strangest texts
_SIZES = re.compile(r"\((\d+) tokens\) exceeds the available context size \((\d+) tokens\)")
_TOO_LONG = re.compile(r"longer than the context length|exceeds the (available )?context|exceed_context_size")


@dataclass(frozen=True)
class Window:
    """The context size of a loaded model in tokens (ps), and the largest that it supports (show); None if unknown."""

    size: int | None = None
    most: int | None = None


@dataclass(frozen=True)
class Demand:
    """How much was sent: tokens by the counts of earlier turns (0: unknown), bytes of all texts and of the last one."""

    counted: int
    bytes: int
    last: int
    turns: int

    @property
    def tokens(self) -> int:
        """The number of tokens, estimated if it was not counted."""
        return self.counted or self.bytes // BYTES_A_TOKEN


NOTHING_ASKED = Demand(0, 0, 0, 0)


def demand_of(turns: Sequence[Turn], messages: MessageList) -> Demand:
    """Return what these messages need; `turns` are the earlier ones that are sent, if all of them are."""
    last, used = messages[-1], used_by(turns)
    images = len(last.images)
    new = last.size // BYTES_A_TOKEN + (images and images * image_tokens(turns))
    return Demand(used and used + new, messages.size, last.size, len(messages) // 2)


def more_demand(demand: Demand, messages: Sequence[Message]) -> Demand:
    """Return what is needed with these messages behind the others: the steps of the turn itself."""
    more = sum(message.size for message in messages)
    counted = demand.counted and demand.counted + more // BYTES_A_TOKEN
    return replace(demand, counted=counted, bytes=demand.bytes + more)


def window_note(turns: Sequence[Turn], prompt: str, window: Window, images: int = 0) -> tuple[str, ...]:
    """Return the warning for the next turn after these; empty if it fits, or if nothing is known.

    Args:
        turns: The earlier turns that are sent, oldest first.
        prompt: The text of the next one, with its attachments.
        window: The window of the model.
        images: How many images go along.
    """
    used = used_by(turns)
    about = used + size_of(prompt) // BYTES_A_TOKEN + (images and images * image_tokens(turns))
    if not window.size or about <= window.size * (1 if used else 1.5):
        return ()
    lost = "drop the oldest turns" if used else "cut the prompt"
    line = f"about {about:,} of {window.size:,} tokens: the server will {lost}"
    larger = larger_window(about, window)
    helps = f"; `-o num_ctx={larger}` {'keeps them' if used else 'has room for it'}" if larger else ""
    return (line + helps,)


def used_by(turns: Sequence[Turn]) -> int:
    """Return how many tokens the turns take, by the newest turn that has counts."""
    return next((count for turn in reversed(turns) if (count := tokens_of(turn))), 0)


def tokens_of(turn: Turn) -> int:
    """Return the tokens of a turn: its prompt with all earlier turns, and its answer without thinking."""
    thinking = size_of(turn.thinking) // BYTES_A_TOKEN
    stats = turn.outcome.stats
    answer = max((stats.answer_tokens or 0) - thinking, 0)
    return (stats.prompt_tokens or 0) + answer


def image_tokens(turns: Sequence[Turn]) -> int:
    """Return the tokens of an image, by the counts of the newest turn that had some; 0 if they do not show it."""
    for place in range(len(turns) - 1, -1, -1):
        if not turns[place].attachments:
            continue
        turn, before = turns[place], turns[place - 1] if place else None
        images = sum(not one.in_text and one.travelled for one in turn.attachments)
        read, earlier = turn.outcome.stats.prompt_tokens or 0, tokens_of(before) if before else 0
        if images and read and (earlier or not before):
            text = size_of(prompt_with(turn.prompt, turn.attachments)) + (
                0 if before else size_of(turn.settings.system)
            )
            return max(read - earlier - text // BYTES_A_TOKEN, 0) // images
    return 0


def size_of(text: str) -> int:
    """Bytes of UTF-8."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))


def larger_window(needed: int, window: Window) -> int:
    """Return a context size with room for these tokens and an answer; 0 if the model supports none."""
    wanted = 1 << max(needed * 5 // 4, (window.size or 0) * 5 // 4).bit_length()
    wanted = min(wanted, window.most or wanted)
    return wanted if wanted > max(window.size or 0, needed) else 0


def window_line(window: Window, needed: int) -> str:
    """Return `window 4,096 of 40,960; -o num_ctx=16384 reloads the model` or the like; "" if the size is unknown."""
    if not window.size:
        return ""
    of_most = f" of {window.most:,}" if window.most and window.most > window.size else ""
    larger = larger_window(needed, window)
    if larger:
        return f"window {window.size:,}{of_most}; `-o num_ctx={larger}` reloads the model"
    why = f"{of_most}, and even the largest is too small" if of_most else ", the largest that this model supports"
    return f"window {window.size:,}{why}; shorten the prompt, or send fewer turns with `--turns 4`"


def lost_note(demand: Demand, stats: Stats | None, window: Window) -> str:
    """Return what the server silently left out, and what helps; "" if it seems to have read everything."""
    read = stats.prompt_tokens if stats else None
    if not window.size or not _lost(demand, read, window.size):
        return ""
    alone = not demand.turns or demand.last // BYTES_A_TOKEN > window.size
    what = "the prompt did not fit, and the server cut it" if alone else "the server dropped the oldest turns"
    return f"{what}: {window_line(window, demand.tokens)}"


def _lost(demand: Demand, read: int | None, size: int) -> bool:
    """Whether less was read than sent. Servers before v0.30.1 may count too few, so the window matters as well."""
    if read is not None and read >= size:
        return True  # v0.24.0 cuts to the window exactly
    if demand.counted and demand.counted > size * 0.95:
        return read is None or read < demand.counted * 0.9
    if demand.bytes < size * BYTES_A_TOKEN * 0.75:
        return False
    if read is None:
        return demand.bytes > size * MOST_BYTES
    halved = abs(read - size // 2) <= max(2, size // 64) and demand.bytes > read * BYTES_A_TOKEN * 1.25
    return halved or demand.bytes > read * MOST_BYTES


def length_note(limit: int | None, demand: Demand, stats: Stats | None, window: Window) -> str:
    """Return why an answer ended at a length limit, and what helps."""
    made, read = (stats.answer_tokens, stats.prompt_tokens) if stats else (None, None)
    if limit_is_window(limit, stats, window):
        needed = max(demand.tokens, read or 0) + (made or 0)
        return f"answer cut: the context window is full: {window_line(window, needed)}"
    if limit is not None:
        return f"answer cut by num_predict={limit}; `-o num_predict=-1` removes the limit"
    unless = "" if window.size else ", or a full context window"
    return f"answer cut by num_predict{unless}"


def answer_limit(num_predict: object) -> int | None:
    """Return the most tokens of an answer that the request allows, None if there is no such limit."""
    return num_predict if isinstance(num_predict, int) and num_predict >= 0 else None


def limit_is_window(limit: int | None, stats: Stats | None, window: Window) -> bool:
    """Whether an answer that was cut ended because the context window was full, and not at its own limit."""
    made, read = (stats.answer_tokens, stats.prompt_tokens) if stats else (None, None)
    full = bool(window.size) and (read or 0) + (made or 0) >= (window.size or 0) - 2
    return full and (limit is None or (made or 0) < limit)


def does_not_fit(error: str, demand: Demand, window: Window) -> str:
    """Return the line for a prompt that was refused as too long; "" for any other refusal or if nothing is known."""
    found = _SIZES.search(error)
    if not found and not _TOO_LONG.search(error):
        return ""
    needed, size = (int(found[1]), int(found[2])) if found else (demand.tokens, window.size)
    line = window_line(Window(size, window.most), needed)
    about = "" if found else "about "
    return line and f"The prompt does not fit: it has {about}{needed:,} tokens; {line}."
