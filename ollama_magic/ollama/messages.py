"""The messages of a conversation as frozen values."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b, sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

DIGEST_BYTES = 16


@dataclass(frozen=True)
class ToolCall:
    """One call that a model asks for; `problem` says why it cannot be run as it came, and is empty if it can."""

    name: str
    arguments: Mapping[str, object] = field(default_factory=dict)
    id: str = ""
    problem: str = ""


@dataclass(frozen=True)
class Message:
    """One message of a conversation; a message of the role "tool" is the result of a call (protocol.md §9.3).

    `images` are the bytes of images and sound, in order.
    """

    role: str
    content: str
    thinking: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_name: str = ""
    tool_call_id: str = ""
    images: tuple[bytes, ...] = field(default=(), repr=False)

    @property
    def is_text(self) -> bool:
        """Whether it is text and nothing else, as nearly all messages of a long history are."""
        return not (self.images or self.thinking or self.tool_calls or self.tool_name or self.tool_call_id)

    @cached_property
    def size(self) -> int:
        """The bytes of its text as UTF-8."""
        return len(self.content) if self.content.isascii() else len(self.content.encode("utf-8", "replace"))

    @cached_property
    def digest(self) -> bytes:
        """A hash of all of it, images included; made once, for a long history is sent with every turn."""
        calls = [[call.id, call.name, dict(call.arguments)] for call in self.tool_calls]
        images = [sha256(image).hexdigest() for image in self.images]
        rest = [self.thinking, calls, self.tool_name, self.tool_call_id, images]
        text = json.dumps([self.role, self.content, *([] if self.is_text else rest)], default=str)
        return blake2b(text.encode(), digest_size=DIGEST_BYTES).digest()
