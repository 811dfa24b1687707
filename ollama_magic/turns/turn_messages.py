"""Turns as the messages that are sent for them; nothing else converts history to messages."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Any

from ollama_magic.foreign import one_line
from ollama_magic.ollama.message_json import message_body
from ollama_magic.ollama.messages import Message
from ollama_magic.turns.tool_steps import messages_of_steps

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ollama_magic.turns.attachment import Attachment
    from ollama_magic.turns.turn_value import Turn

_TICKS = re.compile("`{3,}")
_LABEL = 200  # most characters of a name on its fence


def messages_of(
    turns: Iterable[Turn], system: str = "", prompt: str | None = None, attachments: Iterable[Attachment] = ()
) -> tuple[Message, ...]:
    """Return the system text, the turns with their steps, and the next prompt.

    Thinking is sent only with the tool calls that it led to.

    Args:
        turns: The earlier turns, oldest first.
        system: The system text; empty for none.
        prompt: The prompt of the next turn, if any.
        attachments: What goes along with that prompt.
    """
    lead = (Message("system", system),) if system else ()
    history = chain.from_iterable(map(_messages_for, turns))
    return (*lead, *history, *(() if prompt is None else (user_message(prompt, attachments),)))


def _messages_for(turn: Turn) -> tuple[Message, ...]:
    """Return the messages of one turn; they are made once, for a long history is sent with every turn."""
    found: tuple[Message, ...] | None = turn.memo.get("messages")
    if found is None:
        found = turn.memo["messages"] = (user_message(turn.prompt, turn.attachments), *reply_of(turn))
    return found


def user_message(prompt: str, attachments: Iterable[Attachment] = ()) -> Message:
    """Return a prompt with its attachments; what is known by name only is left out."""
    known = [one for one in attachments if one.travelled]
    if not known:
        return Message("user", prompt)
    images = tuple(one.data for one in known if not one.in_text)
    return Message("user", prompt_with(prompt, known), images=images)


def prompt_with(prompt: str, attachments: Iterable[Attachment]) -> str:
    """Return the prompt, and below it tables and texts, each in a fence with its name."""
    return "\n\n".join([prompt, *(_fenced(one) for one in attachments if one.in_text and one.travelled)])


def _fenced(attachment: Attachment) -> str:
    """Return a text in a fence that is longer than any within it."""
    text = attachment.text
    ticks = "`" * max(3, 1 + max(map(len, _TICKS.findall(text)), default=0))
    name = one_line(attachment.name, _LABEL).replace("`", "'")
    return f"{ticks}{name}\n{text}{'' if text.endswith(chr(10)) else chr(10)}{ticks}"


def reply_of(turn: Turn) -> tuple[Message, ...]:
    """Return the steps of a turn and its answer as messages; steps that no answer followed stand alone."""
    if not turn.steps:
        return (Message("assistant", turn.text),)
    steps = tuple(messages_of_steps(turn.steps))
    return steps if steps and not turn.text else (*steps, Message("assistant", turn.text))


def pair_of(turn: Turn) -> list[dict[str, Any]]:
    """Return the prompt of a turn with its attachments, and its answer with its thinking, as Ollama's JSON has them."""
    asked, answer = user_message(turn.prompt, turn.attachments), Message("assistant", turn.text, turn.thinking)
    return [message_body(asked), message_body(answer)]


def plain(messages: Iterable[Message]) -> list[dict[str, Any]]:
    """Return messages as Ollama's JSON has them; thinking only with the tool calls that it led to."""
    return [message_body(message if message.tool_calls else replace(message, thinking="")) for message in messages]
