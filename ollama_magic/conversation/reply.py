"""The reply of a turn while it grows. Views and users read it; only the turn writes it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Generic, Literal

from ollama_magic.answer_types.answer_json import NoJson, fenced_blocks, read_json
from ollama_magic.errors import AnswerCut, AnswerInvalid, InputError, OllamaMagicError
from ollama_magic.foreign import printable
from ollama_magic.ollama.message_list import MessageList
from ollama_magic.ollama.messages import Message
from ollama_magic.ollama.stats import Stats
from ollama_magic.turns.tool_steps import messages_of_steps
from ollama_magic.turns.turn_messages import plain
from ollama_magic.turns.turn_value import (
    AS_JSON,
    AS_MARKDOWN,
    AS_TEXT,
    COMPLETE,
    CUT,
    FAILED,
    MAIN,
    RUNNING,
    STOPPED,
    Form,
    Outcome,
    RequestSettings,
    State,
    Turn,
)

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    from ollama_magic.answer_types.answer_format import AnswerFormat
    from ollama_magic.conversation.question import Question
    from ollama_magic.ollama.address import Address
    from ollama_magic.ollama.protocol import Request
    from ollama_magic.tools.tool import Tool
    from ollama_magic.turns.attachment import Attachment
    from ollama_magic.turns.tool_steps import ToolStep

    T = TypeVar("T", default=Any)
else:
    from typing import TypeVar

    T = TypeVar("T")

__all__ = ["AS_JSON", "AS_MARKDOWN", "AS_TEXT", "COMPLETE", "CUT", "FAILED", "RUNNING", "STOPPED", "Reply"]

CHAT: Final = "chat"
GENERATE: Final = "generate"
Kind = Literal["chat", "generate"]


@dataclass
class ReplyStatus:
    """What views show beside a reply while it grows; times are `time.monotonic()` seconds, None until they happen.

    `before` are the lines above the reply, `waiting` says what a silent turn waits for, `unsaved` whether the end is
    not on disk yet, `rewritten` how often text left the answer because it was thinking or led to a tool call,
    `turns_sent` how many turns were sent, `chunks` how many chunks arrived, and `question` what the user is asked.
    `remembered` is whether it is the remembered one of several models' replies, None alone and before that is known.
    """

    before: tuple[str, ...] = ()
    waiting: str = ""
    unsaved: bool = False
    rewritten: int = 0
    turns_sent: int = 0
    chunks: int = 0
    question: Question | None = None
    remembered: bool | None = None
    started_at: float = field(default_factory=time.monotonic)
    headers_at: float | None = None
    first_at: float | None = None
    ended_at: float | None = None


@dataclass(eq=False, repr=False)
class Reply(Generic[T]):
    """The answer of one turn; it grows until its `state` is no longer "running".

    `Reply[City]` is one whose `value` is a City.

    Attributes:
        prompt: The prompt that was asked, with its fields filled.
        attachments: What went along with the prompt.
        settings: How it was asked: model, system text, options and so on.
        conversation: The name of the conversation; None outside any conversation.
        kind: "chat", or "generate" for a single answer of `/api/generate`.
        form: What the text is: "markdown", "json", or "text" for the gap before a suffix.
        request: The request as it was sent, None before.
        host: The server that was asked.
        sent: The messages of the request.
        state: "running", "complete", "stopped", "cut" (the stream ended without its end mark) or "failed".
        error: Why the answer is cut or failed.
        stats: Counts and times (tokens, nanoseconds) as the server gave them, None before the end.
        done_reason: Why the model ended, "stop" or "length", as the server said.
        notes: The lines below the answer.
        format: What the answer must look like, where a type or schema was asked for.
        steps: The tool calls before the answer, with their results.
        tools: The functions that the model might call.
    """

    prompt: str = ""
    settings: RequestSettings = field(default_factory=RequestSettings)
    conversation: str | None = None
    kind: Kind = CHAT
    form: Form = AS_MARKDOWN
    request: Request | None = None
    host: Address | None = None
    sent: MessageList = field(default_factory=MessageList)
    text_parts: list[str] = field(default_factory=list)  # they only grow: a view counts how many it has seen
    thinking_parts: list[str] = field(default_factory=list)
    state: State = RUNNING
    error: OllamaMagicError | None = None
    stats: Stats | None = None
    done_reason: str | None = None
    notes: tuple[str, ...] = ()
    format: AnswerFormat[T] | None = None
    steps: list[ToolStep] = field(default_factory=list)
    attachments: tuple[Attachment, ...] = ()
    tools: tuple[Tool, ...] = ()
    status: ReplyStatus = field(default_factory=ReplyStatus)

    @classmethod
    def of(cls, turn: Turn) -> Reply[Any]:
        """Return the reply of a stored turn."""
        return cls(
            prompt=turn.prompt,
            settings=turn.settings,
            conversation=turn.conversation,
            form=turn.form,
            text_parts=[turn.text] if turn.text else [],
            thinking_parts=[turn.thinking] if turn.thinking else [],
            state=turn.state,
            error=OllamaMagicError(turn.outcome.error) if turn.outcome.error else None,
            steps=list(turn.steps),
            attachments=turn.attachments,
        )

    @property
    def turn(self) -> Turn:
        """The turn as it is now, as a frozen value."""
        return Turn(
            self.prompt,
            self.text,
            "".join(self.thinking_parts),
            self.settings,
            self.outcome,
            conversation=self.conversation or MAIN,
            steps=tuple(self.steps),
            attachments=self.attachments,
        )

    @property
    def outcome(self) -> Outcome:
        """How it ended, as the journal stores it."""
        error, reason = str(self.error or ""), self.done_reason or ""
        return Outcome(self.state, error, reason, self.seconds, self.stats or Stats())

    @property
    def seconds(self) -> float:
        """The time from the prompt to the end, or until now."""
        return (self.status.ended_at or time.monotonic()) - self.status.started_at

    @property
    def model(self) -> str:
        """The model that answers; the requested one until it is looked up."""
        return self.settings.model

    @property
    def text(self) -> str:
        """The Markdown of the answer as it came."""
        return "".join(self.text_parts)

    @property
    def thinking(self) -> str:
        """What the model thought before it answered; empty if it did not."""
        return "".join(self.thinking_parts).strip()

    @property
    def code(self) -> list[str]:
        """The fenced code blocks of the answer, without their fences."""
        return fenced_blocks(self.text)

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The sent messages, the steps and the answer, in the format of Ollama's messages."""
        return plain((*self.sent, *messages_of_steps(self.steps), Message("assistant", self.text)))

    def rewrite(self, thinking: str, text: str) -> None:
        """Move text up to a closing tag into the thinking; views count the parts, so their number never shrinks."""
        self.text_parts[:] = [*[""] * len(self.text_parts), text]
        self.thinking_parts.append(thinking)
        self.status.rewritten += 1

    def end(self, state: State) -> None:
        """Note how it ended; only the first end counts."""
        if self.state == RUNNING:
            self.state, self.status.ended_at = state, time.monotonic()

    def fail(self, error: OllamaMagicError) -> None:
        """Note that it ended with this error, cut or failed; only the first end counts."""
        if self.state == RUNNING:
            self.error = error
            self.end(CUT if isinstance(error, AnswerCut) else FAILED)

    def json(self) -> Any:
        """Read the answer as JSON, without a fence around it; raise InputError if it is not JSON."""
        try:
            return read_json(self.text)[0]
        except NoJson as error:
            why = "it is incomplete" if self.state != COMPLETE or self.done_reason == "length" else str(error)
            raise InputError(f"This answer is not JSON ({why}); ask for plain JSON with `-f json`.") from None

    @cached_property
    def value(self) -> T:
        """The answer as a value of its format, validated at first use.

        Raises:
            AnswerInvalid: It is none; the line names the first place that is wrong.
            InputError: No format was asked for, or what validates it is not installed.
        """
        from ollama_magic.answer_types.answer_format import answer_format

        if self.format is None and self.settings.format is None:
            raise InputError("This answer is text: no format was asked for; `-f TYPE` or `format=…` asks for a value.")
        if self.state == RUNNING:
            raise InputError("This answer is still on its way; its value can be read when it is complete.")
        asked = self.format or answer_format(self.settings.format)
        if self.state != COMPLETE or (self.done_reason == "length" and not self._closed):
            why = "cut at its length limit" if self.state == COMPLETE else self.state
            raise AnswerInvalid(f"The answer is no {asked.label}: it was {why}. Its text is in `Reply.text`.")
        return asked.validate(self.text)

    def frame(self) -> Any:
        """Return the value as a pandas DataFrame: a row for each record. Raises what `value` raises."""
        from ollama_magic.answer_types.records import frame_of

        return frame_of(self.value)

    @property
    def _closed(self) -> bool:
        """Whether the text is JSON to which nothing can be missing: a number might have more digits."""
        try:
            found, part = read_json(self.text)
        except NoJson:
            return False
        return isinstance(found, (dict, list, str)) or not part.rstrip()[-1:].isdigit()

    def _repr_llm_(self) -> str:
        """What `{{reply}}` puts into a prompt."""
        return self.text

    def __repr__(self) -> str:
        mark = "" if self.state == COMPLETE else f"\n\n[{self.state}]"
        return printable(self.text) + mark
