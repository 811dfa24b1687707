"""What a turn says: what a test gives, calls of tools, JSON, the middle of a text, or a scripted reply."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ollama_magic.demo.calling import calls_for
from ollama_magic.demo.computed import as_code
from ollama_magic.demo.deltas import Delta, as_deltas
from ollama_magic.demo.replies import LABEL, Recorded, Scripted, reply_to

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ollama_magic.demo.prompts import Message
    from ollama_magic.demo.turn import Turn

_DEF = re.compile(r"def \w+\(([^)]*)\)")


def deltas_of(turn: Turn, messages: list[Message]) -> tuple[Iterable[Delta], bool]:
    """The answer's pieces, and whether they bring their own pace."""
    given = _given(turn)
    if given is not None:
        return _as_asked(turn, given), False
    tools = turn.body.get("tools")
    if isinstance(tools, list) and tools and messages[-1][0] == "user":
        calls = calls_for(messages[-1][1], tools)
        if calls:
            return [Delta(calls=(call,)) for call in calls], False
    if turn.prompt.suffix is not None:
        return Scripted(_middle(turn.prompt.messages[-1][1])).deltas(), False
    if messages[-1][0] == "tool":
        return Scripted(f"The tool says {as_code(messages[-1][1], 200)}.\n\n*{LABEL}*").deltas(), False
    thinks = "thinking" in turn.model.capabilities and turn.body.get("think", True) is not False
    reply = reply_to(messages, thinks=thinks, form=turn.body.get("format"))
    if isinstance(reply, Recorded):
        return reply.deltas(at_its_pace=turn.stage.pace is None), turn.stage.pace is None
    return _as_asked(turn, _until_stop(reply.deltas(), turn.options.get("stop"))), False


def _given(turn: Turn) -> Iterable[Delta] | None:
    """What a fault or the server's `answers` say; a list stays one, so that it is sent in large writes."""
    if turn.fault and turn.fault.kind == "script":
        return list(as_deltas(turn.fault.script))
    if turn.stage.answers is None:
        return None
    given = turn.stage.answers(turn.exchange.request.json)
    return list(as_deltas(given)) if isinstance(given, (list, tuple)) else as_deltas(given)


def _as_asked(turn: Turn, deltas: Iterable[Delta]) -> Iterable[Delta]:
    """Old servers say the thought in the text, between tags, unless they were asked for it (dossier §8)."""
    age, asked = turn.stage.age, turn.body.get("think")
    if age.has("thinks_unasked") or (age.has("think") and asked is not None):
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
