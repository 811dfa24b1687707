"""Reads the prompt of a chat cell in a notebook file, without running it."""

from __future__ import annotations

import re

from ollama_magic.errors import InputError
from ollama_magic.line.hook import prompt_text
from ollama_magic.notebook.notebook_file import ChatCell

_FIRST = re.compile(r"\s*%%chat(?:[^\S\n]+([^\n]*))?(?:\n|\Z)")


def read_cell(source: str) -> ChatCell | None:
    """Return the prompt of a `%%chat` cell; None for any other cell, and for one that the magic would refuse."""
    match = _FIRST.match(source)
    if match is None:
        return None
    words, body = match[1] or "", source[match.end() :]
    if words.strip():
        from ollama_magic.line.options import CHAT, read_line  # most cells have nothing behind the magic

        try:
            words = read_line(CHAT, words).words
        except InputError:
            return None
    return ChatCell(prompt_text(words, body if body.endswith("\n") else f"{body}\n"))  # as IPython passes it on
