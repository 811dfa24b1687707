"""From a line and the settings to the plan of a turn, and what its output says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ollama_magic.conversation.request import Plan, Single
from ollama_magic.errors import InputError

if TYPE_CHECKING:
    from ollama_magic.conversation.conversation import Conversation
    from ollama_magic.line.traits import OllamaTraits


def plan_of(asked: Any, prompt: str, settings: OllamaTraits, talk: Conversation) -> Plan:
    """The turn's own options first, then what the conversation was told, then the settings (design §2)."""
    return Plan(
        prompt=prompt,
        model=asked.model,
        default_model=settings.model or None,
        system=asked.system if asked.system is not None else talk.told("system") or settings.system,
        options={**settings.options, **(talk.told("options") or {}), **(asked.option or {})},
        think=asked.think,
        think_if_able=settings.think,
        format=asked.format,
        keep_alive=asked.keep_alive if asked.keep_alive is not None else settings.keep_alive or None,
        once=asked.once,
        turns=asked.turns if asked.turns is not None or asked.once else settings.turns,
        reuse=settings.rerun == "reuse",
        single=_single(asked),
    )


def labels_of(plan: Plan, typed: str, slot: str, conversation: str, *, whole_cell: bool) -> dict[str, object]:
    """What the output's metadata say of the turn, where the cell's text alone does not (design §3)."""
    labels: dict[str, object] = {"slot": slot, "conversation": None if plan.once else conversation}
    if plan.single:
        labels["kind"] = "generate"
    if not whole_cell or plan.prompt != typed:
        labels["prompt"] = plan.prompt
    if plan.system:
        labels["system"] = plan.system
    return labels


def _single(asked: Any) -> Single | None:
    """What `%%generate` says beside its prompt; what a server would refuse, or leave out without a word, is refused."""
    if not asked.single:
        return None
    if asked.raw and (asked.suffix or asked.template or asked.system):
        other = "--suffix" if asked.suffix else "--template" if asked.template else "--system"
        raise InputError(f"--raw sends the prompt alone, just as it stands; leave out {other}, or --raw.")
    if asked.suffix and asked.system:
        raise InputError("--suffix has the model see prompt and suffix alone; leave out --system.")
    return Single(asked.suffix, asked.template, asked.raw)
