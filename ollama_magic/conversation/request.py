"""From what was asked to what is sent: which model answers, whether it thinks, which turns go along."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import TYPE_CHECKING

from ollama_magic.conversation.conversation import BEGAN_WITH, messages_of
from ollama_magic.ollama.protocol import ChatRequest, chat_body

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ollama_magic.conversation.conversation import Conversation
    from ollama_magic.conversation.fold import Turn
    from ollama_magic.conversation.seams import ChatServer


@dataclass(frozen=True)
class Plan:
    """A prompt and how it is to be answered.

    `think_if_able` is thinking that no option asked for, `turns` how many earlier turns go along (None: all),
    `reuse` has an unchanged cell show the answer that is kept.
    """

    prompt: str
    model: str | None = None
    default_model: str | None = None
    system: str = ""
    options: Mapping[str, object] = field(default_factory=dict)
    think: bool | str | None = None
    think_if_able: bool | str | None = None
    keep_alive: float | str | None = None
    once: bool = False
    turns: int | None = None
    reuse: bool = False


async def request_for(plan: Plan, talk: Conversation, history: list[Turn], server: ChatServer) -> ChatRequest:
    """Look the model up and put the request together; raises what the look-up raises, and then nothing is sent."""
    model = await server.model_for(model_asked(plan, talk), think=bool(plan.think))
    think = plan.think
    if think is None and plan.think_if_able is not None and await server.can_think(model):
        think = plan.think_if_able
    sent = history if plan.turns is None else history[len(history) - plan.turns :] if plan.turns else []
    messages = messages_of(sent, plan.prompt, plan.system)
    return ChatRequest(model, messages, dict(plan.options), think, None, plan.keep_alive)


def fingerprint(request: ChatRequest, digest: str) -> str:
    """What a kept answer depends on: the request, and the very model that it is sent to."""
    asked = chat_body(replace(request, keep_alive=None))
    text = json.dumps([asked, digest], default=str)
    return blake2b(text.encode(), digest_size=12).hexdigest()


def model_asked(plan: Plan, talk: Conversation) -> str | None:
    """The turn's own, else what the conversation was told, else the setting, else what it began with (design §2)."""
    return plan.model or talk.told("model") or plan.default_model or talk.told(BEGAN_WITH)
