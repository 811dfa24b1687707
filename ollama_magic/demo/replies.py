"""Which reply belongs to which prompt."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from ollama_magic.demo.deltas import Delta, tokens

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ollama_magic.demo.prompts import Message

LABEL = "*demo: scripted reply, no language model*"


@dataclass(frozen=True)
class Scripted:
    """A text, and the thought before it."""

    text: str
    thought: str = ""

    def deltas(self) -> list[Delta]:
        """As a model would say it, piece by piece."""
        thought = [Delta(thinking=piece) for piece in tokens(self.thought)]
        return thought + [Delta(piece) for piece in tokens(self.text)]


@dataclass(frozen=True)
class Recorded:
    """What a real model said: pieces with their times in ms."""

    model: str
    date: str
    chunks: tuple[tuple[float, str], ...]

    def deltas(self, at_its_pace: bool) -> list[Delta]:
        """The pieces and the label, at the recorded pace or any other."""
        said, before = [], 0.0
        for milliseconds, text in self.chunks:
            said.append(Delta(text, wait=(milliseconds - before) / 1000 if at_its_pace else None))
            before = milliseconds
        rest = 0.0066 if at_its_pace else None
        return said + [Delta(piece, wait=rest) for piece in tokens(f"\n\n*recorded: {self.model}, {self.date}*")]


@cache
def hello() -> Recorded:
    """How gemma3:1b answered `Hello, how are you?`."""
    data = json.loads((files(__package__) / "hello.json").read_text("utf-8"))
    return Recorded(data["model"], data["date"], tuple((at, text) for at, text in data["chunks"]))


def reply_to(messages: Sequence[Message], thinks: bool, form: object) -> Scripted | Recorded:
    """The same messages give the same reply."""
    prompt = messages[-1][1]
    if prompt.strip().lower() == "hello, how are you?":
        return hello()
    return Scripted(f"You said: {prompt}\n\n{LABEL}", "Hm." if thinks and form == "" else "")
