"""Texts that were written beforehand: for the prompts of the examples, and for topics that show Markdown."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

LABEL = "demo: scripted reply, no language model"
_LABELS = {"en": f"*{LABEL}*", "zh": f"*{LABEL}（演示：事先写好的回答，没有语言模型）*"}
_THOUGHT = re.compile(r"<think>\n(.*?)\n</think>\n\n(.*)", re.DOTALL)
_HAN, _LATIN = re.compile("[\u4e00-\u9fff]"), re.compile("[A-Za-z]")
_ASKING = r"(please )?((can|could|would) you )?((tell|show|give|write|make|sing|draw) )?((me|us) )?"
# Name of the text; the whole prompt in English, without case and punctuation; the whole prompt in Chinese.
_TOPICS = (
    ("story", "(a|one) (very )?(long )?(story|tale)", "(给我)?(讲|写|说)(一个|个)?(很长的|长)?故事"),
    (
        "table",
        "compare lists (tuples )?(and )?(tuples|sets)( .*)?|(a|some) tables?",
        "(用表格)?比较列表(元组)?和集合|.{0,4}表格",
    ),
    ("fibonacci", ".*fibonacci.*", ".*斐波那契.*"),
    ("sky", "why is the sky blue( .*)?", "(为什么天空?|天空?为什么)是蓝色?的"),
    ("think", "(a|some) (logic )?(puzzle|riddle)s?", ".{0,5}(谜题|谜语|推理题)|.*鸡兔同笼.*"),
    ("math", "(a|some) (maths?|formulas?|equations?)|(solve )?(a )?quadratic equations?", ".{0,4}(一元二次方程|公式)"),
    ("emoji", "(an?|some|a few) (emojis?|smileys?)", ".{0,5}(表情|笑脸)(符号)?"),
    ("joke", "(a|another) (short |good )?joke", ".{0,6}笑话"),
    ("poem", "(a|some) (short |little )?(poem|poetry|haiku|verse)", ".{0,4}(写|作|来).{0,4}诗"),
    ("code", "(some|a bit of) (python )?code|a (small |short )?(code )?example", ".{0,6}代码"),
    ("list", "(a|some) (nested |numbered |packing )?(lists?|checklist)", ".{0,6}(列表|清单)"),
    ("markdown", "what (markdown|you) can do|what can you do|help", ".{0,6}markdown.{0,6}|你(能|会)做?什么|帮助"),
    ("models", "(which|what) (other )?models .{0,30}", ".{0,6}(哪些|什么)模型.{0,6}"),
    (
        "who",
        "(who|what) are you|introduce yourself|what( i)?s your name",
        "你是谁|.{0,8}介绍.{0,4}自己.{0,20}|你叫什么(名字)?",
    ),
    ("thanks", "thanks( .{0,20})?|thank you( .{0,20})?|(good ?)?bye|see you( .{0,20})?", "谢谢.{0,4}|多谢|再见"),
    ("hello", "(hello|hi|hey|good (morning|afternoon|evening))( .{0,12})?", "(你好|您好|嗨|早上好|下午好|晚上好).?"),
)


_OTHER_RESULTS = (
    "Your functions ran, and their results came here; but they are not those of the dialogue that was recorded, so "
    "there is no recorded answer to them. A language model with tools would go on from them: see `%ollama list`."
)


@dataclass(frozen=True)
class ShowcaseText:
    """A text and the thought before it; the label that says where it is from comes last."""

    text: str
    thought: str
    language: str

    @property
    def labelled(self) -> str:
        """The text with its label as the last paragraph."""
        return f"{self.text}\n\n{_LABELS[self.language]}"


def showcase_text(prompts: Sequence[str]) -> ShowcaseText | None:
    """The text for the last of a user's prompts: that of an example, else that of a topic.

    Args:
        prompts: What the user asked in this conversation, oldest first.
    """
    language = language_of(prompts[-1])
    scripted = _dialogue(prompts)
    if scripted is not None:
        return ShowcaseText(scripted, "", language)
    topic = topic_of(prompts[-1], language)
    return _text(language, topic) if topic else None


def no_model_text(prompt: str) -> ShowcaseText:
    """What is said where no language model is installed."""
    return _text(language_of(prompt), "no_model")


def other_results_text() -> ShowcaseText:
    """What is said where tools returned something else than in the recorded dialogue."""
    return ShowcaseText(_OTHER_RESULTS, "", "en")


def topic_of(prompt: str, language: str) -> str | None:
    """The name of the text that a prompt asks for, or None; a topic within another question is none."""
    asked = plain(prompt)
    for topic, english, chinese in _TOPICS:
        pattern = f"请?({chinese})" if language == "zh" else f"{_ASKING}({english})( please)?"
        if re.fullmatch(pattern, asked.replace(" ", "") if language == "zh" else asked):
            return topic
    return None


def language_of(prompt: str) -> str:
    """`zh` if a fair part of the letters is Chinese, else `en`."""
    han = len(_HAN.findall(prompt))
    return "zh" if han and han * 4 >= len(_LATIN.findall(prompt)) else "en"


def plain(prompt: str) -> str:
    """A prompt without case and punctuation, so that small differences in typing do not matter."""
    return " ".join(re.findall(r"\w+", prompt.lower()))


@cache
def _text(language: str, topic: str) -> ShowcaseText:
    text = _read(f"showcase_texts/{language}/{topic}.md").strip()
    thought = _THOUGHT.fullmatch(text)
    return ShowcaseText(thought[2] if thought else text, thought[1] if thought else "", language)


@cache
def _dialogues() -> dict[tuple[str | None, str], str]:
    rows = json.loads(_read("dialogues.json"))
    return {(plain(row["after"]) if "after" in row else None, plain(row["prompt"])): row["text"] for row in rows}


def _dialogue(prompts: Sequence[str]) -> str | None:
    """The answer of an example, where the prompt before it is the example's too, or does not matter."""
    before, asked = plain(prompts[-2]) if len(prompts) > 1 else "", plain(prompts[-1])
    return _dialogues().get((before, asked), _dialogues().get((None, asked)))


def _read(name: str) -> str:
    return (files(__package__) / name).read_text("utf-8")
