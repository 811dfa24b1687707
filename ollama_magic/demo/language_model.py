"""What the demo server asks of a language model: the one place where another engine is plugged in; no I/O.

The server speaks HTTP, checks requests, counts how long a model stays loaded and writes the lines of an answer. A
language model makes the pieces of that answer. Calls come from several threads, one for each connection.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, Union

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

DoneReason = Literal["stop", "length"]


@dataclass(frozen=True)
class Message:
    """One message of a conversation; `role` is `system`, `user`, `assistant` or `tool`."""

    role: str
    content: str


@dataclass(frozen=True)
class GenerationRequest:
    """What a model should answer, checked by the server.

    Args:
        messages: The conversation, oldest first, already cut to the context window; empty if `prompt` is set.
        prompt: A text that the model goes on with as it stands (`raw`, or a context); no chat template is applied.
        options: The model's own parameters, overlaid by those of the request: `temperature`, `top_k`, `seed`, `stop`
            (a list of str), `num_predict`, `num_ctx` and so on, of the types that Ollama asks for.
        format: None, `"json"`, or a JSON schema that the answer must fit.
        think: As in the request; None if it says nothing.
        tools: The tools of the request; the server refuses them for a model without the capability.
        suffix: The text behind the gap, for a model with the capability `insert`.
        body: The whole body of the request, for a model that understands more than the fields above.
    """

    messages: tuple[Message, ...] = ()
    prompt: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    format: Literal["json"] | Mapping[str, Any] | None = None
    think: bool | str | None = None
    tools: Sequence[Any] = ()
    suffix: str | None = None
    body: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ToolCall:
    """One call of a tool."""

    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class Piece:
    """A part of the answer: one line of the stream.

    `delay` is for recordings: seconds between the piece before and this one. A real model yields a piece as soon as it
    has one, with a delay of 0.
    """

    content: str = ""
    thinking: str = ""
    delay: float = 0.0
    tool_calls: tuple[ToolCall, ...] = ()


@dataclass(frozen=True)
class Finished:
    """The end of an answer. Durations are in nanoseconds; 0 means that the server's own measurement is used."""

    done_reason: DoneReason = "stop"
    prompt_tokens: int = 0
    tokens: int = 0
    prompt_duration: int = 0
    duration: int = 0


Event = Union[Piece, Finished, None]  # noqa: UP007 — evaluated at run time, also by Python 3.9


class ModelError(Exception):
    """The model cannot answer; the server replies with the status and the text."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


class LanguageModel(Protocol):
    """A model that the demo server can load and ask."""

    @property
    def size(self) -> int:
        """Bytes that the loaded model takes, as `/api/ps` shows them; 0 if it is not known."""

    def load(self, options: Mapping[str, Any]) -> None:
        """Make the model ready with the options that count at load time (`num_ctx`, `num_thread`, …); it may block.

        Raises:
            ModelError: The model cannot be loaded.
        """

    def unload(self) -> None:
        """Give the memory back; a running answer may still end."""

    def tokenize(self, text: str) -> list[int]:
        """The numbers of a text's tokens, without any that mark its beginning or end."""

    def detokenize(self, tokens: Sequence[int]) -> str:
        """The text of tokens; unknown numbers are left out."""

    def render(self, messages: Sequence[Message]) -> str:
        """The conversation as the chat template writes it, up to where the answer begins."""

    def generate(self, request: GenerationRequest) -> Iterable[Event]:
        """The pieces of one answer, and `Finished` as the last event.

        It is a generator where the answer takes time. Then it yields None at least every 0.05 s while there is no new
        piece (prompt evaluation, waiting for another request), so that the server can look whether its client is still
        there. The server closes the generator when the client has left: whatever works for it stops then.
        A list, whose pieces are all known, is sent in large writes.

        Raises:
            ModelError: The answer cannot begin, or breaks off.
        """

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector per text, normalised to length 1, all of the same dimension.

        Raises:
            ModelError: The model makes no embeddings.
        """
