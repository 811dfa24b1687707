"""Turns that remember each other, in memory; `Conversation.here()` is the notebook's own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ollama_magic.conversation.reply import COMPLETE
from ollama_magic.errors import InputError
from ollama_magic.functions.answers import AnswerStream
from ollama_magic.functions.given import options_from, text_from
from ollama_magic.ollama.protocol import ChatRequest, Message

if TYPE_CHECKING:
    from ollama_magic.conversation.reply import Reply
    from ollama_magic.functions.here import HereConversation


@dataclass
class Conversation:
    """A new conversation, in memory only; what is set here holds for its turns from then on."""

    model: str | None = None
    system: str = ""
    options: object = None
    think: bool | str | None = None
    format: object = None
    keep_alive: float | str | None = None
    host: str | None = None
    _turns: list[tuple[str, Reply]] = field(default_factory=list, init=False, repr=False)

    @staticmethod
    def here() -> HereConversation:
        """The notebook's current conversation, the same that `%%chat` goes on with."""
        from ollama_magic.functions.here import HereConversation

        return HereConversation()

    @property
    def messages(self) -> list[dict[str, str]]:
        """All that was said so far, in the shape of Ollama's messages."""
        return [{"role": message.role, "content": message.content} for message in self._history()]

    def chat(self, prompt: str) -> Reply:
        """The next turn, whole; a turn that ends otherwise raises, and is remembered if it has any text."""
        return self.stream(prompt).whole()

    def stream(self, prompt: str) -> AnswerStream:
        """The next turn, as it comes; it is sent with what was said when this is called."""
        messages = (*self._history(), Message("user", text_from(prompt, "prompt")))
        options = options_from(self.options)
        request = ChatRequest(self.model or "", messages, options, self.think, self.format, self.keep_alive)
        answer = AnswerStream(request, self.host)
        answer.on_end = lambda reply: self._remember(prompt, reply)
        return answer

    def undo(self) -> None:
        """Take back the newest turn."""
        if not self._turns:
            raise InputError("There is no turn to take back.")
        self._turns.pop()

    def _history(self) -> tuple[Message, ...]:
        lead = (Message("system", self.system),) if self.system else ()
        pairs = ((Message("user", prompt), Message("assistant", reply.text)) for prompt, reply in self._turns)
        return (*lead, *(message for pair in pairs for message in pair))

    def _remember(self, prompt: str, reply: Reply) -> None:
        """Text that came is kept; a conversation keeps the model that it began with."""
        if reply.text_parts or reply.state == COMPLETE:
            self._turns.append((prompt, reply))
            self.model = self.model or reply.model
