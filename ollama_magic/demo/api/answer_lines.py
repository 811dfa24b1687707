"""The objects of an answer of chat and generate, in the order of their keys (protocol.md §6.2, §7)."""

from __future__ import annotations

import secrets
import string
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ollama_magic.demo.language_model import Piece
from ollama_magic.demo.transport.go_format import go_json, go_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ollama_magic.demo.language_model import ToolCall

_LETTERS = string.ascii_lowercase + string.digits
Object = dict[str, Any]


@dataclass
class AnswerLines:
    """How the pieces of one answer are written."""

    model: str
    endpoint: Literal["chat", "generate"]
    calls: int = 0

    def piece(self, piece: Piece) -> bytes:
        """The line of one piece."""
        return line_of({**self.front(piece), "done": False})

    def last(self, statistics: Object) -> bytes:
        """The line that says done."""
        return line_of({**self.front(Piece()), **statistics})

    @staticmethod
    def error(text: str) -> bytes:
        """The line of an error in the middle of an answer."""
        return line_of({"error": text})

    def whole(self, pieces: Sequence[Piece], statistics: Object) -> Object:
        """The one object of an answer that is not streamed."""
        content = "".join(piece.content for piece in pieces)
        thinking = "".join(piece.thinking for piece in pieces)
        calls = tuple(call for piece in pieces for call in piece.tool_calls)
        return {**self.front(Piece(content, thinking, tool_calls=calls)), **statistics}

    def front(self, piece: Piece, role: str = "assistant") -> Object:
        """The beginning of every object: who says what, and when."""
        front: Object = {"model": self.model, "created_at": go_time(time.time_ns())}
        thinking = {"thinking": piece.thinking} if piece.thinking else {}
        if self.endpoint == "generate":
            return {**front, "response": piece.content, **thinking}
        calls = {"tool_calls": [self._call(call) for call in piece.tool_calls]} if piece.tool_calls else {}
        return {**front, "message": {"role": role, "content": piece.content, **thinking, **calls}}

    def _call(self, call: ToolCall) -> Object:
        index, self.calls = self.calls, self.calls + 1
        name = "call_" + "".join(secrets.choice(_LETTERS) for _ in range(8))
        return {"id": name, "function": {"index": index, "name": call.name, "arguments": dict(call.arguments)}}


def line_of(value: Object) -> bytes:
    """An object as a line."""
    return (go_json(value) + "\n").encode()
