"""Which reply belongs to which prompt: recorded, computed from what was sent, or one of the texts in `replies/`."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from ollama_magic.demo import recordings
from ollama_magic.demo.recordings.text_pieces import pieces as tokens
from tests.double.answers.computed import Asked, computed
from tests.double.answers.deltas import Delta
from tests.double.answers.schema_examples import example
from tests.double.answers.topics import topic_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.double.answers.prompts import Message

LABEL = "demo: scripted reply, no language model"
_LABELS = {"en": f"*{LABEL}*", "zh": f"*{LABEL}（演示：事先写好的回答，没有语言模型）*"}
_THOUGHT = re.compile(r"<think>\n(.*?)\n</think>\n\n(.*)", re.DOTALL)
_HAN, _LATIN = re.compile("[\u4e00-\u9fff]"), re.compile("[A-Za-z]")


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
        rest = before / len(self.chunks) / 1000 if at_its_pace else None
        return said + [Delta(piece, wait=rest) for piece in tokens(f"\n\n*recorded: {self.model}, {self.date}*")]


@cache
def hello() -> Recorded:
    """How gemma3:1b answered `Hello, how are you?`."""
    data = json.loads((files(recordings) / "answers.json").read_text("utf-8"))[0]
    return Recorded(data["model"], data["date"], tuple((at, text) for at, text in data["chunks"]))


@cache
def _text(language: str, topic: str) -> str:
    """One of the package's showcase texts, or of those that only this server has."""
    name = f"{language}/{topic}.md"
    own = files(__package__) / "replies" / name
    text = own if own.is_file() else files(recordings) / "showcase_texts" / name
    return text.read_text("utf-8").strip()


def reply_to(messages: Sequence[Message], *, thinks: bool, form: object = None) -> Scripted | Recorded:
    """The same messages give the same reply."""
    prompt = messages[-1][1]
    if form:
        return Scripted(example(form, LABEL), "They want JSON." if thinks else "")
    if re.sub(r"\W+", " ", prompt).strip().lower() == "hello how are you":
        return hello()
    language = language_of(prompt)
    text = _said(prompt, messages, language)
    thought = _THOUGHT.fullmatch(text)
    if thought:
        text = thought.group(2)
    return Scripted(f"{text}\n\n{_LABELS[language]}", thought.group(1) if thought and thinks else "")


def language_of(prompt: str) -> str:
    """`zh` if a fair part of the letters is Chinese, else `en`."""
    han = len(_HAN.findall(prompt))
    return "zh" if han and han * 4 >= len(_LATIN.findall(prompt)) else "en"


def _said(prompt: str, messages: Sequence[Message], language: str) -> str:
    earlier = tuple(content for role, content in messages[:-1] if role == "user")
    system = next((content for role, content in reversed(messages) if role == "system"), "")
    asked = Asked(prompt, earlier, len(messages) - 1 - bool(system), system, language == "zh")
    said = computed(asked)
    if said is None:
        topic = topic_of(prompt, language)
        said = _text(language, topic) if topic else asked.fill(_text(language, "fallback"))
    return said
