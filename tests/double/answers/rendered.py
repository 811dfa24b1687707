"""Rendered prompts read back as messages; no I/O."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.double.answers.prompts import Message

_TURN = re.compile(r"<\|im_start\|>(\w+)\n(.*?)(?:<\|im_end\|>\n?|\Z)", re.DOTALL)


def messages_in(text: str) -> list[Message]:
    """The messages that a rendered prompt holds; a text without marks is the user's."""
    turns: Sequence[tuple[str, str]] = _TURN.findall(text)
    if not turns:
        return [("user", text)] if text else []
    kept = [(role, content) for role, content in turns]
    return kept[:-1] if kept[-1][0] == "assistant" and not text.endswith("<|im_end|>\n") else kept
