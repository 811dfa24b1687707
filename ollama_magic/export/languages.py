"""The languages of an export, by their names; what each is coloured as."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ollama_magic.export.curl import curl
from ollama_magic.export.java import java
from ollama_magic.export.python import python

if TYPE_CHECKING:
    from collections.abc import Callable

    from ollama_magic.export.target import Target
    from ollama_magic.ollama.protocol import ChatRequest

LANGUAGES = {"curl": (curl, "bash"), "python": (python, "python"), "java": (java, "java")}


def exported(language: str, request: ChatRequest, target: Target, mask: Callable[[str], str] = str) -> str:
    """The request as a program; `mask` takes out the keys that may stand in its texts."""
    write, _ = LANGUAGES[language]
    messages = tuple(replace(m, content=mask(m.content), thinking=mask(m.thinking)) for m in request.messages)
    return write(replace(request, messages=messages), target)
