"""From what was asked to what is sent: which model answers, whether it thinks, which turns go along."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import TYPE_CHECKING

from ollama_magic.conversation.conversation import BEGAN_WITH, messages_of
from ollama_magic.conversation.reply import AS_JSON, AS_MARKDOWN, AS_TEXT
from ollama_magic.errors import ModelNotFound
from ollama_magic.foreign import one_line
from ollama_magic.ollama.protocol import ChatRequest, Message, chat_body

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ollama_magic.conversation.conversation import Conversation
    from ollama_magic.conversation.remembered import Turn
    from ollama_magic.conversation.seams import ChatServer
    from ollama_magic.ollama.requests import Request

CHATS = frozenset({"completion"})


@dataclass(frozen=True)
class Single:
    """What a turn says that is no turn of a conversation: one prompt to `/api/generate`, one answer (dossier §7)."""

    suffix: str = ""
    template: str = ""
    raw: bool = False


@dataclass(frozen=True)
class Plan:
    """A prompt and how it is to be answered.

    `think_if_able` is thinking that no option asked for, `turns` how many earlier turns go along (None: all),
    `reuse` has an unchanged cell show the answer that is kept. What is `single` is `once` too.
    """

    prompt: str
    model: str | None = None
    default_model: str | None = None
    system: str = ""
    options: Mapping[str, object] = field(default_factory=dict)
    think: bool | str | None = None
    think_if_able: bool | str | None = None
    format: object = None
    keep_alive: float | str | None = None
    once: bool = False
    turns: int | None = None
    reuse: bool = False
    single: Single | None = None

    @property
    def form(self) -> str:
        """What the answer will be: JSON, the text of a gap, else Markdown."""
        return form_of(self.format, self.single.suffix if self.single else "")

    @property
    def needs(self) -> frozenset[str]:
        """The capabilities that the model must have."""
        return needs_of(self.think, self.single.suffix if self.single else "")


def form_of(asked: object, suffix: str) -> str:
    """What an answer will be: JSON where a format is asked for, the text of a gap before a suffix, else Markdown."""
    if asked is not None:
        return AS_JSON
    return AS_TEXT if suffix else AS_MARKDOWN


def needs_of(think: object, suffix: str) -> frozenset[str]:
    """The capabilities that a model must have for this."""
    wanted = {"thinking": think, "insert": suffix}
    return CHATS | {name for name, needed in wanted.items() if needed}


async def request_for(plan: Plan, talk: Conversation, history: list[Turn], server: ChatServer) -> Request:
    """Look the model up and put the request together; raises what the look-up raises, and then nothing is sent."""
    model = await model_for(plan, talk, server, plan.needs)
    think = plan.think
    if think is None and plan.think_if_able is not None and await server.can_think(model):
        think = plan.think_if_able
    if plan.single is not None:
        return _generate(plan, plan.single, model, think)
    sent = history if plan.turns is None else history[len(history) - plan.turns :] if plan.turns else []
    messages = messages_of(sent, plan.prompt, plan.system)
    return ChatRequest(model, messages, dict(plan.options), think, plan.format, plan.keep_alive)


def _generate(plan: Plan, single: Single, model: str, think: bool | str | None) -> Request:
    """A raw prompt, and one with a gap, are sent without the system text (dossier §7)."""
    from ollama_magic.ollama.requests import GenerateRequest

    return GenerateRequest(
        model=model,
        prompt=plan.prompt,
        suffix=single.suffix,
        system="" if single.raw or single.suffix else plan.system,
        template=single.template,
        raw=single.raw,
        options=dict(plan.options),
        think=think,
        format=plan.format,
        keep_alive=plan.keep_alive,
    )


def messages_in(request: Request) -> tuple[Message, ...]:
    """What a request says, as messages; a prompt is one of the user's."""
    if isinstance(request, ChatRequest):
        return request.messages
    lead = (Message("system", request.system),) if request.system else ()
    return (*lead, Message("user", request.prompt))


def fingerprint(request: ChatRequest, digest: str) -> str:
    """What a kept answer depends on: the request, and the very model that it is sent to."""
    asked = chat_body(replace(request, keep_alive=None))
    text = json.dumps([asked, digest], default=str)
    return blake2b(text.encode(), digest_size=12).hexdigest()


def model_asked(plan: Plan, talk: Conversation) -> str | None:
    """The turn's own, else what the conversation was told, else the setting, else what it began with (design §2)."""
    return _named(plan, talk) or talk.told(BEGAN_WITH)


async def model_for(plan: Plan, talk: Conversation, server: ChatServer, needs: frozenset[str]) -> str:
    """The model that was asked for, as it is there; nobody named the one that a conversation merely began with.

    So where a server does not have that one, as after `%ollama demo`, what is there answers. Raises what look-ups do.
    """
    try:
        return await server.model_for(model_asked(plan, talk), needs)
    except ModelNotFound:
        if _named(plan, talk) or not talk.told(BEGAN_WITH):
            raise
    return await server.model_for(None, needs)


def another_model(model: str, plan: Plan, talk: Conversation, history: list[Turn]) -> tuple[str, ...]:
    """The note that another model answers than the conversation began with; told once, not below every answer."""
    asked = model_asked(plan, talk)
    if not asked or model == asked or (history and history[-1].model == model):
        return ()
    return (f"{one_line(asked, 80)} is not at this server: {one_line(model, 80)} goes on in its place",)


def _named(plan: Plan, talk: Conversation) -> str | None:
    return plan.model or talk.told("model") or plan.default_model
