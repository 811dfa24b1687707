"""Builds the plan of a turn from a line and the settings, and the labels of its output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ollama_magic.conversation.request import Plan, Single
from ollama_magic.errors import InputError
from ollama_magic.turns.attachment_json import label

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ollama_magic.answer_types.answer_format import AnswerFormat
    from ollama_magic.conversation.conversation import Conversation
    from ollama_magic.line.traits import OllamaTraits
    from ollama_magic.tools.tool import Tool


def plan_of(
    asked: Any,
    prompt: str,
    settings: OllamaTraits,
    conversation: Conversation,
    answer_format: AnswerFormat[Any] | None = None,
    tools: tuple[Tool, ...] = (),
) -> Plan:
    """Return the plan from the turn's options, else the conversation's settings, else the traits (design.md §2)."""
    return Plan(
        prompt=prompt,
        model=asked.models[0] if asked.models and len(asked.models) == 1 else None,
        default_model=settings.model or None,
        system=_first(asked.system, conversation.setting("system"), settings.system),
        options={**settings.options, **(conversation.setting("options") or {}), **(asked.option or {})},
        think=asked.think,
        think_if_able=settings.think,
        format=answer_format.schema if answer_format is not None else None,
        answer_format=answer_format,
        keep_alive=asked.keep_alive if asked.keep_alive is not None else _set(settings.keep_alive),
        once=asked.once,
        turns=asked.turns if asked.turns is not None or asked.once else settings.turns,
        reuse=settings.rerun == "reuse",
        single=_single(asked),
        tools=tools,
        tool_rounds=settings.tool_rounds,
    )


def check_columns(asked: Any, tools: Sequence[object]) -> None:
    """Refuse what only one model's answer can have."""
    if tools:
        way = "leave out -t" if asked.tool else "`%ollama tool --none` ends those of the conversation"
        raise InputError(f"Tools go with one model; name one -m, or {way}.")
    if asked.into:
        raise InputError("--into binds the value of one answer; with several models bind the replies by --out.")


def tools_of(asked: Any, conversation: Conversation, variables: Callable[[], Mapping[str, object]]) -> tuple[Tool, ...]:
    """Return the tools of a turn: those of its line, else those of its conversation, and none of a single answer.

    Raises:
        InputError: One of them does not exist any more, or cannot be described.
    """
    names = None if asked.single else asked.tool or conversation.setting("tools")
    if not names:
        return ()
    from ollama_magic.tools.listing import tools_named

    return tools_named(names, variables())


def labels_of(plan: Plan, typed: str, slot: str, conversation: str, *, whole_cell: bool) -> dict[str, object]:
    """Return the metadata of the turn's output, beyond what the cell's text says (design.md §3)."""
    labels: dict[str, object] = {"slot": slot, "conversation": None if plan.once else conversation}
    if plan.single:
        labels["kind"] = "generate"
    if not whole_cell or plan.prompt != typed:
        labels["prompt"] = plan.prompt
    if plan.system:
        labels["system"] = plan.system
    if plan.format is not None:
        labels["format"] = plan.format
    if plan.attachments:
        labels["attachments"] = [label(one) for one in plan.attachments]
    return labels


def _single(asked: Any) -> Single | None:
    """Return the extra fields of `%%generate`; raise InputError for combinations that servers refuse or ignore."""
    if not asked.single:
        return None
    if asked.raw and (asked.suffix or asked.template or asked.system):
        other = "--suffix" if asked.suffix else "--template" if asked.template else "--system"
        raise InputError(f"--raw sends the prompt unchanged and alone; leave out {other}, or --raw.")
    if asked.suffix and asked.system:
        raise InputError("With --suffix the model reads only prompt and suffix; leave out --system.")
    return Single(asked.suffix, asked.template, asked.raw)


def _set(keep_alive: float | str) -> float | str | None:
    """Return a setting, None if it is empty; 0 is a time, too."""
    return None if keep_alive == "" else keep_alive


def _first(*texts: str | None) -> str:
    """Return the first text that is set, which may be empty."""
    return next((text for text in texts if text is not None), "")
