"""Replies that are made from what was sent: names, earlier questions, figures, tables, small sums."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.double.answers.figures import figures, frame, prime, total

if TYPE_CHECKING:
    from collections.abc import Callable

_NAME = re.compile(
    r"(?i:my name is|my name['’]s|call me|i am called) +([^\W\d_]+(?:[ -][A-Z][^\W\d_]*)*)"
    r"|(?:我叫|我的名字是|我的名字叫|叫我) *(?!什么|啥)([^\W\d_]{1,12})"
)
_ASKS_NAME = re.compile(
    r"what(?:['’]s| is| was) my name|who am i\b|(?:know|remember) my name|remember me\b"
    r"|我叫什么|我叫啥|我的名字是什么|我是谁",
    re.IGNORECASE,
)
_ASKS_BACK = re.compile(
    r"what (?:did|have) i (?:just )?(?:ask|tell|told|say|said|write)|what was my (?:first|last|previous) "
    r"|what did we talk|summari[sz]e (?:our|this|the) (?:chat|conversation)"
    r"|我(?:刚才|刚刚|之前|前面|都)*(?:问|说|告诉)(?:了|过)*你?(?:什么|哪些|啥)|总结.{0,6}对话",
    re.IGNORECASE,
)
_NEWEST = re.compile(r"\b(just|last|previous)\b|刚", re.IGNORECASE)
_OLDEST = re.compile(r"\bfirst\b|第一", re.IGNORECASE)
_PLACE = re.compile("{(prompt|messages|system)}")


@dataclass(frozen=True)
class Asked:
    """A prompt with what came along: the user's earlier prompts, how many messages, the system message."""

    prompt: str
    earlier: tuple[str, ...]
    messages: int
    system: str
    chinese: bool

    def say(self, english: str, chinese: str) -> str:
        """The one in the prompt's language."""
        return chinese if self.chinese else english

    def fill(self, text: str) -> str:
        """The text with what the request brought in its places."""
        system = as_code(self.system) if self.system else self.say("none", "没有")
        places = {"prompt": as_code(self.prompt), "messages": str(self.messages), "system": system}
        return _PLACE.sub(lambda place: places[place.group(1)].replace("|", "\\|"), text)


def as_code(words: str, limit: int = 80) -> str:
    """The user's own words on one line, so that nothing in them is Markdown."""
    line = " ".join("".join(c if c.isprintable() else " " for c in words).split())
    line = line if len(line) <= limit else line[: limit - 1] + "…"
    ticks = "`" * (1 + max((len(run) for run in re.findall("`+", line)), default=0))
    space = " " if line.startswith("`") or line.endswith("`") or not line else ""
    return f"{ticks}{space}{line}{space}{ticks}"


def computed(asked: Asked) -> str | None:
    """The first of these replies that fits, or None."""
    kinds: tuple[Callable[[Asked], str | None], ...] = (_my_name, _introduced, _asked_back, _from_figures)
    return next((said for said in (kind(asked) for kind in kinds) if said), None)


def _name_in(text: str) -> str | None:
    match = _NAME.search(text)
    return next((group for group in match.groups() if group), None) if match else None


def _my_name(asked: Asked) -> str | None:
    if not _ASKS_NAME.search(asked.prompt):
        return None
    name = next((found for found in map(_name_in, reversed(asked.earlier)) if found), None)
    if name is None:
        return asked.say(
            "You have not told me your name yet. Write `My name is Ada` in one cell and ask again in the next: "
            "the conversation is sent along each time.",
            "你还没有告诉我你的名字。先在一个单元格里写 `我叫小明`，再在下一个里问一次：每次都会把对话一起发来。",
        )
    return asked.say(
        f"Your name is **{name}**. You told me so earlier in this conversation, and it came along with your question.",
        f"你叫 **{name}** 。这是你在前面的对话里告诉我的，它和你的问题一起发来了。",
    )


def _introduced(asked: Asked) -> str | None:
    name = _name_in(asked.prompt)
    if name is None:
        return None
    return asked.say(
        f"Nice to meet you, **{name}**! 👋 Ask me `What is my name?` in the next cell: the conversation remembers.",
        f"很高兴认识你， **{name}** ！👋 在下一个单元格里问我 `我叫什么名字？` ，对话会记得。",
    )


def _asked_back(asked: Asked) -> str | None:
    if not _ASKS_BACK.search(asked.prompt):
        return None
    if not asked.earlier:
        return asked.say("Nothing yet: this is the first message that I see.", "还没有：这是我看到的第一条消息。")
    if _NEWEST.search(asked.prompt) or _OLDEST.search(asked.prompt):
        words = as_code(asked.earlier[-1 if _NEWEST.search(asked.prompt) else 0], 200)
        return asked.say(f"You asked me {words}.", f"你问我的是 {words} 。")
    lines = [f"{number}. {as_code(words)}" for number, words in enumerate(asked.earlier, 1)]
    return asked.say("So far you told me:", "到目前为止，你对我说过：") + "\n\n" + "\n".join(lines[-12:])


def _from_figures(asked: Asked) -> str | None:
    for kind in (prime, total, frame, figures):
        said = kind(asked.prompt)
        if said:
            return said[1 if asked.chinese else 0]
    return None
