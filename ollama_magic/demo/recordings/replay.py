"""Replies from a file: a conversation that was saved with a real model, or recorded exchanges with a real server.

Files: what `%ollama save` writes as .json or .ipynb, any JSON with a list of messages, and recordings: an object, or
a list of them, with `request` (its `body` a chat's or generate's) and either `chunks` ([[ms, text], …]) or `body`, the
reply as it came. All may be gzipped. What a file is tells its content.
"""

from __future__ import annotations

import gzip
import json
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ollama_magic.demo.language_model import Piece, ToolCall
from ollama_magic.demo.recordings.replay_exchanges import recorded_turns
from ollama_magic.demo.recordings.replay_files import RecordedTurn, message_turns, notebook_turns
from ollama_magic.demo.recordings.text_pieces import pieces

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_LIMIT = 50_000_000  # bytes
_PACE = 40.0  # tokens/s where the file has none
_LABELS = ("*recorded: ", "*demo: ")


class NoReplay(ValueError):
    """The file cannot be replayed; the text is one line for the user."""


def _spaced(prompt: str) -> str:
    return " ".join(prompt.split())


@dataclass(frozen=True)
class Replay:
    """The answers of one file, by their prompts; `plain` makes prompts equal that count as the same."""

    turns: tuple[RecordedTurn, ...]
    plain: Callable[[str], str] = _spaced

    def find(self, prompts: Sequence[str], results: Sequence[str] = ()) -> RecordedTurn | None:
        """The turn with the last of a user's prompts, and these results of tools since then, if there is one.

        Where a prompt stands in the file more than once, the one counts that follows the same prompt as here.
        """
        asked = [self.plain(prompt) for prompt in prompts]
        found = [
            place
            for place, turn in enumerate(self.turns)
            if self.plain(turn.prompt) == asked[-1] and _begins(turn, results)
        ]
        before = asked[-2] if len(asked) > 1 else ""
        same = [place for place in found if (self.plain(self.turns[place - 1].prompt) if place else "") == before]
        return next((self.turns[place] for place in (*same, *found)), None)


def _begins(turn: RecordedTurn, results: Sequence[str]) -> bool:
    """Whether the tools of a turn returned these results, as far as they go."""
    recorded = [result for one in turn.rounds for result in one.results]
    return recorded[: len(results)] == list(results)


def round_pieces(turn: RecordedTurn, results: Sequence[str], *, thinks: bool) -> list[Piece] | None:
    """The calls that follow these results of tools; None where the answer follows."""
    done = 0
    for one in turn.rounds:
        if done == len(results):
            calls = tuple(ToolCall(name, arguments) for name, arguments in one.calls)
            said = [Piece(thinking=piece) for piece in pieces(one.thinking)] if thinks else []
            return [
                *said,
                *(Piece(piece) for piece in pieces(one.text)),
                *(Piece(tool_calls=(call,)) for call in calls),
            ]
        done += len(one.results)
    return None


def recorded_pieces(turn: RecordedTurn, *, at_its_pace: bool, thinks: bool) -> list[Piece]:
    """A recorded answer, with its label as the last paragraph.

    Args:
        turn: The recorded turn.
        at_its_pace: Whether each piece waits as long as it took; else none of them waits.
        thinks: Whether the thought is wanted.
    """
    rest = 1 / (turn.pace or _PACE) if at_its_pace else 0.0
    thought = [Piece(thinking=piece, delay=rest) for piece in pieces(turn.thinking)] if thinks else []
    text, before = [], 0.0
    for milliseconds, content in turn.chunks:
        text.append(Piece(content, delay=max(0.0, milliseconds - before) / 1000 if at_its_pace else 0.0))
        before = milliseconds
    text = text or [Piece(piece, delay=rest) for piece in pieces(turn.text)]
    return [*thought, *text, *(Piece(piece, delay=rest) for piece in pieces(_label(turn)))]


def _label(turn: RecordedTurn) -> str:
    """An answer that ends with such a label already, because it came from a demo server, keeps its own."""
    if turn.text.rstrip().rpartition("\n")[2].startswith(_LABELS):
        return ""
    return f"\n\n*recorded: {', '.join(filter(None, [turn.model or 'a model', turn.date]))}*"


def read_replay(name: str | Path) -> Replay:
    """Read a file; NoReplay says in one line why it cannot be."""
    path = Path(name)
    try:
        path = path.expanduser()
        text = _bytes_of(path).decode("utf-8-sig")
    except NoReplay:
        raise
    except UnicodeDecodeError:
        raise NoReplay(f"{path} is no text, so it cannot be replayed.") from None
    except (OSError, EOFError, RuntimeError, ValueError, zlib.error) as error:
        raise NoReplay(f"{path} cannot be read ({getattr(error, 'strerror', None) or error}).") from None
    turns = [turn for turn in _turns_of(text, path) if turn.prompt.strip() and turn.text.strip()]
    if not turns:
        raise NoReplay(
            f"{path} holds no answer that could be replayed: give a .json or .ipynb file that `%ollama save` wrote."
        )
    return Replay(tuple(turns))


def _bytes_of(path: Path) -> bytes:
    if path.is_fifo():  # to open one would wait for its other end
        raise OSError("it is a pipe; save what it brings as a file")
    with path.open("rb") as file:
        data = file.read(_LIMIT + 1)
    if data.startswith(b"\x1f\x8b"):
        with gzip.open(path) as unpacked:
            data = unpacked.read(_LIMIT + 1)
    if len(data) > _LIMIT:
        raise NoReplay(f"{path} is larger than {_LIMIT // 1_000_000} MB, too large to be replayed.")
    return data


def _turns_of(text: str, path: Path) -> list[RecordedTurn]:
    if not text.lstrip().startswith(("{", "[")):
        return []
    try:
        body: Any = json.loads(text)
    except (ValueError, RecursionError):
        raise NoReplay(f"{path} is no JSON that can be read, so it cannot be replayed.") from None
    if isinstance(body, dict) and isinstance(body.get("cells"), list):
        return notebook_turns(body)
    first = body[0] if isinstance(body, list) and body else body
    if isinstance(first, dict) and "request" in first:
        return recorded_turns(body if isinstance(body, list) else [body])
    return message_turns(body)
