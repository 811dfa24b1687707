"""A conversation as Markdown that people read and that reads back exactly.

All that was said stands in quotes, so that nothing in it can pass for a heading of ours or for another turn.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ollama_magic.errors import InputError
from ollama_magic.foreign import one_line, repaired
from ollama_magic.notebook.files import shown
from ollama_magic.notebook.inert_markdown import as_said, inert
from ollama_magic.notebook.saved_turn import EPOCH, SavedTurn, counted, facts_of, read_facts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

VERSION = 1
SYSTEM, YOU, THINKING, ANSWER = "### System", "### You", "<details><summary>Thinking</summary>", "### "
_LABELS = {SYSTEM: "system", YOU: "prompt", THINKING: "thinking"}
_SIGN = re.compile(r"^<!-- ollama_magic conversation (\d{1,6}) -->[ \t]*\r?$", re.MULTILINE)
_TURN = re.compile(r"<!-- turn (\{.*\}) -->[ \t]*\Z")
_PUNCTUATION = re.compile(r"([\\`*_\[\]<>&~|!#@$])")
_HEAD = 4000  # characters in which the sign stands


def is_markdown_of_ours(text: str) -> bool:
    """Whether the text is a conversation that `markdown_of` wrote, in this version or another."""
    return _SIGN.search(text[:_HEAD]) is not None and not text.lstrip().startswith(("{", "["))


def markdown_of(turns: Sequence[SavedTurn]) -> str:
    """Return the turns as Markdown; `turns_of_markdown` reads them back, lone surrogates aside."""
    models = list(dict.fromkeys(_plain(turn.model) for turn in turns if turn.model))
    parts = [
        f"# Conversation with {', '.join(models)}" if models else "# Conversation",
        f"<!-- ollama_magic conversation {VERSION} -->",
        f"*{counted(len(turns), 'turn')}; what was said stands in quotes, and `%ollama open` reads this file back.*",
    ]
    for number, turn in enumerate(turns, 1):
        parts += _turn_parts(number, turn)
    return "\n\n".join(parts) + "\n"


def turns_of_markdown(text: str, path: Path) -> list[SavedTurn]:
    """Read the turns back; InputError if another version wrote them. The path is for error texts only."""
    sign = _SIGN.search(text[:_HEAD])
    if sign is None or int(sign[1]) != VERSION:
        raise InputError(f"{shown(path)} was written by a newer ollama_magic; update this one to open it.")
    reading = _Reading()
    for line in text.replace("\r\n", "\n").split("\n"):
        reading.read(line)
    return list(reading.told())


def quoted(text: str) -> str:
    """A text as a quote that acts on nobody who renders it."""
    return "\n".join(f"> {line}" if line else ">" for line in inert(repaired(text)).split("\n"))


def _turn_parts(number: int, turn: SavedTurn) -> Iterator[str]:
    yield f"## {number}{_when(turn.at)}"
    yield f"<!-- turn {_hidden(facts_of(turn))} -->"
    if turn.system:
        yield from (SYSTEM, quoted(turn.system))
    yield from (YOU, quoted(turn.prompt))
    if turn.thinking:
        yield from (THINKING, quoted(turn.thinking), "</details>")
    ended = "" if turn.state == "complete" else f" · {_plain(turn.state)}"
    yield f"{ANSWER}{_plain(turn.model) or 'Answer'}{ended}"
    yield quoted(turn.text)


def _when(at: float) -> str:
    try:
        return f" · {EPOCH + timedelta(seconds=at):%Y-%m-%d %H:%M} UTC" if at else ""
    except (OverflowError, ValueError):
        return ""


def _plain(name: str) -> str:
    return _PUNCTUATION.sub(r"\\\1", one_line(name))


def _hidden(facts: dict[str, Any]) -> str:
    """The facts as JSON that no text in them can end the comment around."""
    text = json.dumps(facts)
    return text.replace("--", "-\\u002d").replace("<", "\\u003c").replace(">", "\\u003e")


@dataclass
class _Reading:
    """One reading, line by line: what a quote is stands above it; the last quote of a turn is its answer."""

    label: str = ""
    blanks: int = 0
    rows: list[tuple[dict[str, Any], list[tuple[str, list[str]]]]] = field(default_factory=list)

    def read(self, line: str) -> None:
        if line.startswith(">"):
            self._quote(line[1:].removeprefix(" "))
        elif not line.strip():
            self.blanks += 1
        else:
            self.label, self.blanks = line.strip(), 0
            if found := _TURN.match(line):
                self.rows.append((_facts(found[1]), []))

    def told(self) -> Iterator[SavedTurn]:
        for facts, quotes in self.rows:
            if quotes:
                texts = {_LABELS.get(label, ""): as_said("\n".join(lines)) for label, lines in quotes[:-1]}
                texts.pop("", None)
                yield SavedTurn(**{"prompt": "", **texts, "text": as_said("\n".join(quotes[-1][1])), **facts})

    def _quote(self, line: str) -> None:
        """Add a line to the quote under the label; one that an editor broke apart is one quote still."""
        if not self.rows:
            return
        quotes = self.rows[-1][1]
        if not quotes or quotes[-1][0] != self.label:
            quotes.append((self.label, []))
            self.blanks = 0
        lines = quotes[-1][1]
        lines += [""] * self.blanks * bool(lines) + [line]
        self.blanks = 0


def _facts(text: str) -> dict[str, Any]:
    try:
        facts = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return read_facts(facts) if isinstance(facts, dict) else {}
