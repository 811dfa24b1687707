"""Replies from a file: a conversation that was saved with a real model, or recorded exchanges with a real server.

Files: what `%ollama save` writes (.json, .md, .ipynb), any JSON with a list of messages, and recordings: an object, or
a list of them, with `request` (its `body` a chat's or generate's) and either `chunks` ([[ms, text], …]) or `body`, the
reply as it came. All may be gzipped. What a file is tells its content.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ollama_magic.demo.answers.deltas import Delta, tokens
from ollama_magic.demo.answers.replay_files import markdown_turns, message_turns, notebook_turns
from ollama_magic.demo.answers.replay_recordings import recorded_turns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ollama_magic.demo.answers.prompts import Message
    from ollama_magic.demo.answers.replay_files import Said

_LIMIT = 50_000_000  # bytes
_PACE = 40.0  # tokens/s where the file has none
_LABELS = ("*recorded: ", "*demo: ")


class NoReplay(ValueError):
    """The file cannot be replayed; the text is one line for the user."""


@dataclass(frozen=True)
class Replay:
    """The answers of one file, by their prompts."""

    turns: tuple[Said, ...]

    def reply_to(self, messages: Sequence[Message]) -> Played | None:
        """The recorded answer to the last message, if there is one.

        Where a prompt stands in the file more than once, the one counts that follows the same prompt as here.
        """
        asked = [_plain(content) for role, content in messages if role == "user"]
        if not asked or messages[-1][0] != "user":
            return None
        found = [(place, turn) for place, turn in enumerate(self.turns) if _plain(turn.prompt) == asked[-1]]
        before = asked[-2] if len(asked) > 1 else ""
        same = [turn for place, turn in found if (_plain(self.turns[place - 1].prompt) if place else "") == before]
        chosen = same or [turn for _, turn in found]
        return Played(chosen[0]) if chosen else None


@dataclass(frozen=True)
class Played:
    """One recorded answer, said again."""

    turn: Said

    def deltas(self, *, at_its_pace: bool, thinks: bool) -> list[Delta]:
        """Its pieces with the label as the last paragraph, at the recorded pace or any other."""
        turn, rest = self.turn, 1 / (self.turn.pace or _PACE) if at_its_pace else None
        said = [Delta(thinking=piece, wait=rest) for piece in tokens(turn.thinking)] if thinks else []
        if turn.chunks:
            before = 0.0
            for milliseconds, text in turn.chunks:
                said.append(Delta(text, wait=max(0.0, milliseconds - before) / 1000 if at_its_pace else None))
                before = milliseconds
        else:
            said += [Delta(piece, wait=rest) for piece in tokens(turn.text)]
        return said + [Delta(piece, wait=rest) for piece in tokens(self._label())]

    def _label(self) -> str:
        """An answer that ends with such a label already, because it came from a demo server, keeps its own."""
        if self.turn.text.rstrip().rpartition("\n")[2].startswith(_LABELS):
            return ""
        return f"\n\n*recorded: {', '.join(filter(None, [self.turn.model or 'a model', self.turn.date]))}*"


def read_replay(name: str | Path) -> Replay:
    """Read a file; NoReplay says in one line why it cannot be."""
    path = Path(name).expanduser()
    try:
        data = _bytes_of(path)
        text = data.decode("utf-8-sig")
    except (OSError, EOFError) as error:
        raise NoReplay(f"{path} cannot be read ({getattr(error, 'strerror', None) or error}).") from None
    except UnicodeDecodeError:
        raise NoReplay(f"{path} is no text, so it cannot be replayed.") from None
    turns = [turn for turn in _turns_of(text, path) if turn.prompt.strip() and turn.text.strip()]
    if not turns:
        raise NoReplay(f"{path} holds no answer that could be replayed: give a file that `%ollama save` wrote.")
    return Replay(tuple(turns))


def _bytes_of(path: Path) -> bytes:
    with path.open("rb") as file:
        data = file.read(_LIMIT + 1)
    if data.startswith(b"\x1f\x8b"):
        with gzip.open(path) as unpacked:
            data = unpacked.read(_LIMIT + 1)
    if len(data) > _LIMIT:
        raise NoReplay(f"{path} is larger than {_LIMIT // 1_000_000} MB, too large to be replayed.")
    return data


def _turns_of(text: str, path: Path) -> list[Said]:
    if not text.lstrip().startswith(("{", "[")):
        return markdown_turns(text)
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


def _plain(prompt: str) -> str:
    return " ".join(prompt.split())
