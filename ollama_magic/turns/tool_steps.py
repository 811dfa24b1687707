"""The steps of a turn: each tool call that the model asked for, and its result; and the messages that they become."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Final, Literal

from ollama_magic.foreign import one_line
from ollama_magic.ollama.messages import Message, ToolCall

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ollama_magic.turns.attachment import Attachment

__all__ = ["ToolCall", "ToolStep", "call_text", "messages_of_steps"]

StepState = Literal["waiting", "running", "done", "failed"]
WAITING: Final = "waiting"
STEP_RUNNING: Final = "running"
DONE: Final = "done"
STEP_FAILED: Final = "failed"
UNFINISHED = "it was stopped before it ended"


@dataclass(frozen=True)
class ToolStep:
    """One tool call and its result.

    Attributes:
        call: What the model asked for.
        round: The number of the answer that made the call, from 1; calls of one answer have the same.
        state: "waiting", "running", "done", or "failed": the call was refused, or the tool raised.
        result: The text that the model is sent.
        error: Why it failed, one line.
        output: What the tool printed.
        note: What was cut from the result.
        seconds: How long the tool ran.
        thinking: What the model thought before it made the calls of this round; in the first of them only.
        text: What the model said before the calls of this round; in the first of them only.
        images: Images that the tool returned, which are sent with the result.
    """

    call: ToolCall
    round: int = 1
    state: StepState = WAITING
    result: str = ""
    error: str = ""
    output: str = ""
    note: str = ""
    seconds: float = 0.0
    thinking: str = ""
    text: str = ""
    images: tuple[Attachment, ...] = ()

    @property
    def ended(self) -> bool:
        """Whether it has a result or an error."""
        return self.state in (DONE, STEP_FAILED)

    @property
    def content(self) -> str:
        """What the model is sent as the result."""
        if self.state == DONE:
            return self.result
        return f"Error: {self.error or UNFINISHED}"


def messages_of_steps(steps: Iterable[ToolStep]) -> Iterator[Message]:
    """Yield for each round the model's message with its calls, then their results, as protocol.md §9.3 has them."""
    for _, found in groupby(steps, key=lambda step: step.round):
        calls = list(found)
        first = calls[0]
        yield Message("assistant", first.text, first.thinking, tuple(step.call for step in calls))
        for step in calls:
            images = tuple(image.data for image in step.images if image.travelled)
            yield Message("tool", step.content, tool_name=step.call.name, tool_call_id=step.call.id, images=images)


def call_text(call: ToolCall, limit: int = 200) -> str:
    """Return a call as it is shown, on one line: `weather(city="Lima")`."""
    pairs = (f"{name}={_written(value, limit)}" for name, value in call.arguments.items())
    return one_line(f"{call.name or '(no name)'}({', '.join(pairs)})", limit)


def _written(value: object, limit: int) -> str:
    if isinstance(value, str):
        value = value[:limit]
    return json.dumps(value, ensure_ascii=False, default=str)
