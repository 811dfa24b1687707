"""What a turn says: what a test gives, calls of tools, JSON, the middle of a text, or a scripted reply."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ollama_magic.demo.recordings.replay import recorded_pieces
from tests.double.answers.computed import as_code
from tests.double.answers.deltas import Delta, as_deltas
from tests.double.answers.scripted_replies import LABEL, Recorded, Scripted, reply_to
from tests.double.answers.tool_calls import calls_for

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.double.answers.prompts import Message
    from tests.double.endpoints.model_request import Asked

_CALL_TOKENS = 20  # about as many as one call takes
_DEF = re.compile(r"def \w+\(([^)]*)\)")


@dataclass(frozen=True)
class Speech:
    """The answer's pieces, whether they bring their own pace, and whether they were cut off before the first one."""

    deltas: Iterable[Delta]
    own_pace: bool = False
    cut: bool = False


def speech_of(asked: Asked, messages: list[Message]) -> Speech:
    """The first of the sources that has something to say."""
    given = _given(asked)
    if given is not None:
        return Speech(_as_asked(asked, given))
    return _called(asked, messages) or _recorded(asked, messages) or _scripted(asked, messages)


def _called(asked: Asked, messages: list[Message]) -> Speech | None:
    tools = asked.body.get("tools")
    if not isinstance(tools, list) or not tools or messages[-1][0] != "user":
        return None
    calls = calls_for(messages[-1][1], tools)
    if calls and not _room_for_calls(asked):
        return Speech([], cut=True)
    return Speech([Delta(calls=(call,)) for call in calls]) if calls else None


def _thinks(asked: Asked) -> bool:
    return "thinking" in asked.model.capabilities and asked.body.get("think", True) is not False


def _recorded(asked: Asked, messages: list[Message]) -> Speech | None:
    """What the file has that is replayed, or the one recording that is always there."""
    own_pace, replay = asked.stage.pace is None, asked.stage.replay
    if replay is None or asked.body.get("format") or messages[-1][0] != "user":
        return None
    turn = replay.find([content for role, content in messages if role == "user"])
    if turn is None:
        return None
    pieces = recorded_pieces(turn, at_its_pace=own_pace, thinks=_thinks(asked))
    deltas = [Delta(one.content, one.thinking, one.delay if own_pace else None) for one in pieces]
    return Speech(_as_asked(asked, deltas), own_pace)


def _scripted(asked: Asked, messages: list[Message]) -> Speech:
    if asked.prompt.suffix is not None:
        return Speech(Scripted(_middle(asked.prompt.messages[-1][1])).deltas())
    if messages[-1][0] == "tool":
        return Speech(Scripted(f"The tool says {as_code(messages[-1][1], 200)}.\n\n*{LABEL}*").deltas())
    reply = reply_to(messages, thinks=_thinks(asked), form=asked.body.get("format"))
    own_pace = asked.stage.pace is None
    if isinstance(reply, Recorded):
        return Speech(reply.deltas(at_its_pace=own_pace), own_pace)
    return Speech(_as_asked(asked, _until_stop(reply.deltas(), asked.options.get("stop"))))


def _room_for_calls(asked: Asked) -> bool:
    """A call that `num_predict` cuts off is lost without a trace (protocol.md §9.2)."""
    limit = asked.options.get("num_predict")
    return not (isinstance(limit, int) and 0 < limit < _CALL_TOKENS)


def _given(asked: Asked) -> Iterable[Delta] | None:
    """What a fault or the server's `answers` say; a list stays one, so that it is sent in large writes."""
    if asked.fault and asked.fault.kind == "script":
        return list(as_deltas(asked.fault.script))
    if asked.stage.answers is None:
        return None
    given = asked.stage.answers(asked.exchange.request.json)
    return list(as_deltas(given)) if isinstance(given, (list, tuple)) else as_deltas(given)


def _as_asked(asked: Asked, deltas: Iterable[Delta]) -> Iterable[Delta]:
    """Old servers say the thought in the text, between tags, unless they were asked for it (protocol.md §8)."""
    age, think = asked.stage.age, asked.body.get("think")
    if age.has("thinks_unasked") or (age.has("think") and think is not None):
        return deltas
    return _inline(deltas)


def _inline(deltas: Iterable[Delta]) -> Iterable[Delta]:
    thinking = False
    for delta in deltas:
        if delta.thinking:
            yield Delta(delta.thinking if thinking else f"<think>\n{delta.thinking}", wait=delta.wait)
            thinking = True
        if delta.content or not delta.thinking:
            yield Delta(f"\n</think>\n\n{delta.content}" if thinking else delta.content, "", delta.wait, delta.calls)
            thinking = False
    if thinking:
        yield Delta("\n</think>\n\n")


def _middle(before: str) -> str:
    """The middle of a text: for a Python function the sum of its arguments."""
    arguments = _DEF.findall(before)
    names = [
        name.partition(":")[0].partition("=")[0].strip() for name in (arguments[-1].split(",") if arguments else [])
    ]
    said = " + ".join(filter(None, names)) or "..."
    start = "" if before.rstrip(" ").endswith("return") else "return "
    return f"{start}{said}  # {LABEL}"


def _until_stop(deltas: list[Delta], stops: object) -> list[Delta]:
    """The answer up to the first of its stop strings."""
    text = "".join(delta.content for delta in deltas)
    places = [text.find(stop) for stop in (stops if isinstance(stops, list) else []) if stop and stop in text]
    if not places:
        return deltas
    end, kept = min(places), []
    for delta in deltas:
        kept.append(Delta(delta.content[:end], delta.thinking, delta.wait))
        end -= len(delta.content)
        if end <= 0:
            break
    return kept
