"""The languages of an export and their highlighting."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from ollama_magic.export.curl import curl
from ollama_magic.export.java import java
from ollama_magic.export.python import python
from ollama_magic.export.python_tools import python_with_tools, source_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ollama_magic.export.target import Target
    from ollama_magic.ollama.messages import Message
    from ollama_magic.ollama.protocol import ChatRequest
    from ollama_magic.tools.tool import Tool

LANGUAGES = {"curl": (curl, "bash"), "python": (python, "python"), "java": (java, "java")}


FIRST_ONLY = (
    "This is the first request alone: where the model calls a function, run it, and send its result as a message "
    "with the role tool."
)


def exported(
    language: str,
    request: ChatRequest,
    target: Target,
    mask: Callable[[str], str] = str,
    tools: Sequence[Tool] = (),
) -> str:
    """Return the request as a program; `mask` hides keys in its texts.

    In Python a program with tools is whole: the functions, and the loop that runs them.
    """
    write, _ = LANGUAGES[language]
    request = replace(
        request,
        messages=tuple(_masked(message, mask) for message in request.messages),
        tools=tuple(_masked_json(tool, mask) for tool in request.tools),
    )
    if request.tools and language == "python":
        return python_with_tools(request, target, [(tool.name, mask(source_of(tool))) for tool in tools])
    if request.tools:
        target = replace(target, notes=(*target.notes, FIRST_ONLY))
    return write(request, target)


def _masked(message: Message, mask: Callable[[str], str]) -> Message:
    calls = tuple(replace(call, arguments=_masked_json(call.arguments, mask)) for call in message.tool_calls)
    return replace(message, content=mask(message.content), thinking=mask(message.thinking), tool_calls=calls)


def _masked_json(value: Mapping[str, object], mask: Callable[[str], str]) -> dict[str, object]:
    found: dict[str, object] = json.loads(mask(json.dumps(value, ensure_ascii=False)))
    return found
