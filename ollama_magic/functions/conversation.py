"""Conversations in memory; `Conversation.here()` is the notebook's own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar, overload

from ollama_magic.conversation.conversation import Conversation as JournalConversation
from ollama_magic.conversation.journal import Journal
from ollama_magic.functions.answers import AnswerStream
from ollama_magic.functions.arguments import (
    format_from,
    keep_alive_from,
    model_from,
    optional_text,
    options_from,
    text_from,
    think_from,
    tools_from,
)
from ollama_magic.functions.signatures import checked_call
from ollama_magic.functions.value_stream import ValueStream, values_of
from ollama_magic.ollama.messages import Message
from ollama_magic.ollama.protocol import ChatRequest
from ollama_magic.turns.turn_messages import messages_of, plain
from ollama_magic.turns.turn_value import MAIN

if TYPE_CHECKING:
    from ollama_magic.conversation.reply import Reply
    from ollama_magic.functions.arguments import ModelName, Tools
    from ollama_magic.functions.notebook_conversation import NotebookConversation

T = TypeVar("T")


@dataclass
class Conversation:
    """A new conversation in memory; its fields are the settings of its next turns."""

    model: ModelName = None
    system: str = ""
    options: object = None
    think: bool | str | None = None
    format: object = None
    keep_alive: float | str | None = None
    host: str | None = None
    tools: Tools = None
    _saved: JournalConversation = field(
        default_factory=lambda: JournalConversation(MAIN, Journal()), init=False, repr=False
    )

    @staticmethod
    def here() -> NotebookConversation:
        """Return the notebook's current conversation, which `%%chat` continues."""
        from ollama_magic.functions.notebook_conversation import NotebookConversation

        return NotebookConversation()

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The messages so far, in Ollama's format."""
        return plain(messages_of(self._saved.turns, self.system))

    @overload
    def chat(self, prompt: str, *, format: type[T], attach: object = ..., tools: Tools = ...) -> Reply[T]: ...
    @overload
    def chat(self, prompt: str, *, format: object = ..., attach: object = ..., tools: Tools = ...) -> Reply[Any]: ...
    @checked_call
    def chat(self, prompt: str, *, format: object = None, attach: object = None, tools: Tools = None) -> Reply[Any]:  # noqa: A002
        """Ask the next turn and return its complete reply; an incomplete one raises, and is stored if it has text.

        `format` is what this answer must look like and `tools` are the functions that the model may call, as for
        `ollama_magic.chat`; None for those of the conversation. `attach` is what goes along with the prompt.
        """
        return self._answer(prompt, format, attach, tools).whole()

    @overload
    def stream(  # type: ignore[overload-overlap]
        self, prompt: str, *, format: type[list[T]], attach: object = ..., tools: Tools = ...
    ) -> ValueStream[T]: ...
    @overload
    def stream(self, prompt: str, *, format: type[T], attach: object = ..., tools: Tools = ...) -> AnswerStream[T]: ...
    @overload
    def stream(
        self, prompt: str, *, format: object = ..., attach: object = ..., tools: Tools = ...
    ) -> AnswerStream[Any]: ...
    @checked_call
    def stream(
        self,
        prompt: str,
        *,
        format: object = None,  # noqa: A002
        attach: object = None,
        tools: Tools = None,
    ) -> AnswerStream[Any] | ValueStream[Any]:
        """Ask the next turn and stream it; the history is that at the time of the call.

        With `format=list[T]` it yields the elements of the list, as `ollama_magic.stream` does.
        """
        return values_of(self._answer(prompt, format, attach, tools))

    def _answer(self, prompt: str, wanted: object, attach: object, tools: Tools) -> AnswerStream[Any]:
        answer_format = format_from(self.format if wanted is None else wanted)
        schema = answer_format.schema if answer_format is not None else None
        asked = Message("user", text_from(prompt, "prompt"))
        messages = self._saved.messages(self._saved.turns, optional_text(self.system, "system")).then([asked])
        model, options = model_from(self.model), options_from(self.options)
        think, keep_alive = think_from(self.think), keep_alive_from(self.keep_alive)
        listed = tools_from(self.tools if tools is None else tools)
        schemas = tuple(tool.schema for tool in listed)
        request = ChatRequest(model, messages, options, think, schema, keep_alive, schemas)
        answer: AnswerStream[Any] = AnswerStream(request, self.host, answer_format, listed, attach)
        answer.on_end = self._remember
        return answer

    def undo(self) -> None:
        """Undo the newest turn."""
        self._saved.take_back_newest()

    def _remember(self, reply: Reply) -> None:
        """Store a reply that has text; the conversation stays with its first model."""
        if not reply.turn.empty:
            self._saved.add([reply.turn])
            self.model = model_from(self.model) or reply.model


Conversation.__init__ = checked_call(Conversation.__init__)  # type: ignore[method-assign]
