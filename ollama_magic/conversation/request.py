"""Builds requests: which model answers, whether it thinks, which earlier turns are sent."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from ollama_magic.conversation.changes import BEGAN_WITH
from ollama_magic.conversation.media import check_size, left_out_note, senses_for, without_media
from ollama_magic.errors import ModelNotFound
from ollama_magic.foreign import one_line
from ollama_magic.ollama.message_list import MessageList
from ollama_magic.ollama.messages import Message
from ollama_magic.ollama.protocol import ChatRequest
from ollama_magic.ollama.request_bodies import chat_body
from ollama_magic.turns.turn_messages import messages_of, user_message
from ollama_magic.turns.turn_value import AS_JSON, AS_MARKDOWN, AS_TEXT, Form, RequestSettings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ollama_magic.answer_types.answer_format import AnswerFormat
    from ollama_magic.conversation.conversation import Conversation
    from ollama_magic.conversation.interfaces import ChatServer
    from ollama_magic.ollama.protocol import Request
    from ollama_magic.tools.tool import Tool
    from ollama_magic.turns.attachment import Attachment
    from ollama_magic.turns.turn_value import Turn

ModelSource = Literal["option", "conversation", "config", "began with"]
CHATS = frozenset({"completion"})


@dataclass(frozen=True)
class Single:
    """The extra fields of a single prompt to `/api/generate` (protocol.md §7)."""

    suffix: str = ""
    template: str = ""
    raw: bool = False


@dataclass(frozen=True)
class Plan:
    """A prompt and how it is to be answered.

    `think_if_able` is used if `think` is None and the model can think, `turns` is how many earlier turns are sent
    (None: all), `reuse` makes an unchanged cell show its stored answer. A `single` plan is `once` too. `format` is what
    is sent of `answer_format`, which validates the answer. `tools` are what the model may call, in at most
    `tool_rounds` rounds. `attachments` are sent with the prompt, in this order.
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
    answer_format: AnswerFormat[Any] | None = None
    tools: tuple[Tool, ...] = ()
    tool_rounds: int = 10
    attachments: tuple[Attachment, ...] = ()

    @property
    def form(self) -> Form:
        """What the answer will be: JSON, the text of a gap, else Markdown."""
        return form_of(self.format, self.single.suffix if self.single else "")

    @property
    def needs(self) -> frozenset[str]:
        """The capabilities that the model must have."""
        media = [one.data for one in self.attachments if not one.in_text]
        return needs_of(self.think, self.single.suffix if self.single else "", self.tools, media)


def form_of(asked: object, suffix: str) -> Form:
    """What an answer will be: JSON where a format is asked for, the text of a gap before a suffix, else Markdown."""
    if asked is not None:
        return AS_JSON
    return AS_TEXT if suffix else AS_MARKDOWN


def needs_of(think: object, suffix: str, tools: Sequence[object] = (), media: Iterable[bytes] = ()) -> frozenset[str]:
    """The capabilities that a model must have for this; `media` are images and sound."""
    wanted = {"thinking": think, "insert": suffix, "tools": tools}
    return CHATS | {name for name, needed in wanted.items() if needed} | senses_for(media)


class Built(NamedTuple):
    """A request, and the notes about what it leaves out."""

    request: Request
    notes: tuple[str, ...] = ()


async def request_for(plan: Plan, conversation: Conversation, history: list[Turn], server: ChatServer) -> Built:
    """Look the model up and build the request; raises what the look-up raises."""
    model = await model_for(plan, conversation, server, plan.needs)
    think = plan.think
    if think is None and plan.think_if_able is not None and await server.can_think(model):
        think = plan.think_if_able
    if plan.single is not None:
        single = _generate(plan, plan.single, model, think)
        check_size(messages_in(single))
        return Built(single)
    earlier, left_out = await _perceived(plan, conversation, newest_of(history, plan.turns), model, server)
    messages = earlier.then([user_message(plan.prompt, plan.attachments)])
    check_size(messages)
    tools = tuple(tool.schema for tool in plan.tools)
    request = ChatRequest(model, messages, dict(plan.options), think, plan.format, plan.keep_alive, tools)
    return Built(request, left_out_note(left_out, model))


async def _perceived(
    plan: Plan, conversation: Conversation, turns: Sequence[Turn], model: str, server: ChatServer
) -> tuple[MessageList, int]:
    """Return the system text and earlier turns, and how many images and sounds the model is known not to perceive."""
    whole = _earlier(plan, conversation, turns)
    lacking = await server.lacks(model, senses_for(whole.images)) if whole.images else frozenset[str]()
    if not lacking:
        return whole, 0
    known = _earlier(plan, conversation, turns, lacking)
    return known, len(whole.images) - len(known.images)


def _earlier(
    plan: Plan, conversation: Conversation, turns: Sequence[Turn], lacking: frozenset[str] = frozenset()
) -> MessageList:
    if plan.once or plan.turns is not None:  # few turns, and others than the next request has
        return MessageList(messages_of(without_media(turns, lacking), plan.system))
    return conversation.messages(turns, plan.system, lacking)


def _generate(plan: Plan, single: Single, model: str, think: bool | str | None) -> Request:
    """Build a generate request; a raw prompt, or one with a suffix, has no system text (protocol.md §7)."""
    from ollama_magic.ollama.protocol import GenerateRequest

    asked = user_message(plan.prompt, plan.attachments)
    return GenerateRequest(
        model=model,
        prompt=asked.content,
        suffix=single.suffix,
        system="" if single.raw or single.suffix else plan.system,
        template=single.template,
        raw=single.raw,
        options=dict(plan.options),
        think=think,
        format=plan.format,
        keep_alive=plan.keep_alive,
        images=asked.images,
    )


def messages_in(request: Request) -> MessageList:
    """Return the messages of a request; a prompt is a user message."""
    if isinstance(request, ChatRequest):
        return MessageList(request.messages)
    lead = (Message("system", request.system),) if request.system else ()
    return MessageList((*lead, Message("user", request.prompt, images=request.images)))


def settings_of(request: Request, *, digest: str = "", host: str = "", turns: int | None = None) -> RequestSettings:
    """Return the settings of a request as a turn stores them; `turns` limits the earlier turns sent."""
    first = messages_in(request)[:1]
    return RequestSettings(
        model=request.model,
        digest=digest,
        system="".join(message.content for message in first if message.role == "system"),
        options=request.options,
        think=request.think,
        format=request.format,
        keep_alive=request.keep_alive,
        host=host,
        turns=turns,
        tools=request.tools if isinstance(request, ChatRequest) else (),
    )


def request_of(turn: Turn, above: Sequence[Turn]) -> ChatRequest:
    """Rebuild the request of a stored turn from it and the turns above it."""
    settings = turn.settings
    messages = messages_of(newest_of(above, settings.turns), settings.system, turn.prompt, turn.attachments)
    of_turn = settings.options, settings.think, settings.format, settings.keep_alive, settings.tools
    return ChatRequest(settings.model, messages, *of_turn)


def newest_of(turns: Sequence[Turn], count: int | None) -> Sequence[Turn]:
    """Return the last `count` turns, or all if it is None."""
    return turns if count is None else turns[max(len(turns) - count, 0) :]


def fingerprint(request: ChatRequest, digest: str) -> str:
    """Return a hash of what an answer depends on: the request, and the digest of the model."""
    asked = chat_body(replace(request, messages=(), keep_alive=None))
    found = blake2b(json.dumps([asked, digest], default=str).encode(), digest_size=12)
    found.update(MessageList(request.messages).digests)
    return found.hexdigest()


def model_choice(plan: Plan, conversation: Conversation) -> tuple[str, ModelSource] | None:
    """Return the requested model and its source; None if the server is to choose one.

    In order: the turn's option, the conversation's setting, the configuration, the conversation's first model.
    """
    found: tuple[tuple[str | None, ModelSource], ...] = (
        (plan.model, "option"),
        (conversation.setting("model"), "conversation"),
        (plan.default_model, "config"),
        (conversation.setting(BEGAN_WITH), "began with"),
    )
    return next(((str(name), source) for name, source in found if name), None)


def model_asked(plan: Plan, conversation: Conversation) -> str | None:
    """Return the requested model, from whatever source."""
    choice = model_choice(plan, conversation)
    return choice[0] if choice else None


async def model_for(plan: Plan, conversation: Conversation, server: ChatServer, needs: frozenset[str]) -> str:
    """Return the requested model if the server has it; raises what look-ups raise.

    If it was merely the conversation's first model, as before `%ollama demo`, the server chooses another one.
    """
    name, source = model_choice(plan, conversation) or (None, None)
    try:
        return await server.model_for(name, needs)
    except ModelNotFound:
        if source != "began with":
            raise
    return await server.model_for(None, needs)


def another_model(model: str, plan: Plan, conversation: Conversation, history: list[Turn]) -> tuple[str, ...]:
    """Return the note that another model answers than the conversation began with; once, not below every answer."""
    asked = model_asked(plan, conversation)
    if not asked or model == asked or (history and history[-1].model == model):
        return ()
    return (f"{one_line(asked, 80)} is not on this server: {one_line(model, 80)} answers instead",)
