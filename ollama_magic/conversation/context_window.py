"""What the context window holds: of the next turn by estimate, of an answer by its real counts (dossier §13). Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ollama_magic.conversation.remembered import Turn
    from ollama_magic.ollama.protocol import Message, Stats

BYTES_A_TOKEN = 4  # of UTF-8, so that it is about right for Chinese too
MOST_BYTES = 6  # of a token, on average, in all but the strangest texts
_SIZES = re.compile(r"\((\d+) tokens\) exceeds the available context size \((\d+) tokens\)")
_TOO_LONG = re.compile(r"longer than the context length|exceeds the (available )?context|exceed_context_size")


@dataclass(frozen=True)
class Window:
    """Tokens that a loaded model holds (ps), and the most that it was trained for (show); None where nobody says."""

    size: int | None = None
    most: int | None = None


@dataclass(frozen=True)
class Demand:
    """How much was sent: tokens by the real counts of the turns before (0: none), bytes of all and of the last text."""

    counted: int
    bytes: int
    last: int
    turns: int

    @property
    def tokens(self) -> int:
        """About so many tokens."""
        return self.counted or self.bytes // BYTES_A_TOKEN


NOTHING_ASKED = Demand(0, 0, 0, 0)


def demand_of(turns: Sequence[Turn], messages: Sequence[Message]) -> Demand:
    """What these messages ask of the window; `turns` are those that go along, if none above them is left out."""
    sizes = [size_of(message.content) for message in messages]
    used = used_by(turns)
    return Demand(used and used + sizes[-1] // BYTES_A_TOKEN, sum(sizes), sizes[-1], len(sizes) // 2)


def window_note(turns: Sequence[Turn], prompt: str, window: Window) -> tuple[str, ...]:
    """The line that warns before a turn is sent behind these turns; nothing if it fits, or if nothing is known."""
    used = used_by(turns)
    about = used + size_of(prompt) // BYTES_A_TOKEN
    if not window.size or about <= window.size * (1 if used else 1.5):
        return ()
    lost = "drop the oldest turns" if used else "cut the prompt"
    line = f"about {about:,} of {window.size:,} tokens: the server will {lost}"
    larger = larger_window(about, window)
    return (f"{line}; `-o num_ctx={larger}` keeps them" if larger and used else _with_room(line, larger),)


def _with_room(line: str, larger: int) -> str:
    return f"{line}; `-o num_ctx={larger}` has room for it" if larger else line


def used_by(turns: Sequence[Turn]) -> int:
    """What the turns take of the window, by the counts of the newest that has some."""
    return next((count for turn in reversed(turns) if (count := tokens_of(turn))), 0)


def tokens_of(turn: Turn) -> int:
    """What a turn leaves in the window: its prompt with all before it, and its answer; its thinking is not sent."""
    thinking = size_of(turn.thinking) // BYTES_A_TOKEN
    answer = max((turn.stats.get("answer_tokens") or 0) - thinking, 0)
    return (turn.stats.get("prompt_tokens") or 0) + answer


def size_of(text: str) -> int:
    """Bytes of UTF-8."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))


def larger_window(needed: int, window: Window) -> int:
    """Return a window with room for so many tokens, and for an answer; 0 where the model has none."""
    wanted = 1 << max(needed * 5 // 4, (window.size or 0) * 5 // 4).bit_length()
    wanted = min(wanted, window.most or wanted)
    return wanted if wanted > max(window.size or 0, needed) else 0


def window_line(window: Window, needed: int) -> str:
    """`window 4,096 of 40,960; -o num_ctx=16384 reloads the model`, or what else helps; "" if nothing is known."""
    if not window.size:
        return ""
    of_most = f" of {window.most:,}" if window.most and window.most > window.size else ""
    larger = larger_window(needed, window)
    if larger:
        return f"window {window.size:,}{of_most}; `-o num_ctx={larger}` reloads the model"
    why = f"{of_most}, too small at its largest too" if of_most else ", the largest that this model has"
    return f"window {window.size:,}{why}; send less: a shorter prompt, or `--turns 4`"


def lost_note(demand: Demand, stats: Stats | None, window: Window) -> str:
    """What the server left out of a prompt without a word, with what helps; "" if all of it seems to have been read."""
    read = stats.prompt_tokens if stats else None
    if not window.size or not _lost(demand, read, window.size):
        return ""
    alone = not demand.turns or demand.last // BYTES_A_TOKEN > window.size
    what = "the prompt did not fit, and the server cut it" if alone else "the server dropped the oldest turns"
    return f"{what}: {window_line(window, demand.tokens)}"


def _lost(demand: Demand, read: int | None, size: int) -> bool:
    """Whether less was read than sent. Counts of servers before v0.30.1 may be too low, so the window decides with."""
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


def length_note(told: object, demand: Demand, stats: Stats | None, window: Window) -> str:
    """Why an answer ended by its length, with what helps; `told` is the turn's num_predict."""
    made, read = (stats.answer_tokens, stats.prompt_tokens) if stats else (None, None)
    limit = told if isinstance(told, int) and told >= 0 else None
    if window.size and (read or 0) + (made or 0) >= window.size - 2 and (limit is None or (made or 0) < limit):
        needed = max(demand.tokens, read or 0) + (made or 0)
        return f"answer cut: the context window is full: {window_line(window, needed)}"
    if limit is not None:
        return f"answer cut by num_predict={limit}; `-o num_predict=-1` takes the limit off"
    unless = "" if window.size else ", or a full context window"
    return f"answer cut by num_predict{unless}"


def does_not_fit(words: str, demand: Demand, window: Window) -> str:
    """The line for a prompt that a server refused as too long; "" for any other refusal, or if nothing is known."""
    found = _SIZES.search(words)
    if not found and not _TOO_LONG.search(words):
        return ""
    needed, size = (int(found[1]), int(found[2])) if found else (demand.tokens, window.size)
    line = window_line(Window(size, window.most), needed)
    about = "" if found else "about "
    return line and f"The prompt does not fit, with {about}{needed:,} tokens: {line}."
