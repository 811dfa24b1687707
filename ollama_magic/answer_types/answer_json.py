"""JSON in the text of an answer: alone, or within the only code fence of it. Pure."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import Any, NoReturn

_FENCE = re.compile(r"^([ \t]*)(`{3,}|~{3,})([^\n]*)$")


# What ends a line of Markdown; `splitlines` splits at U+2028 and others too, which a text in code may have.
_LINE_END, _LAST_END = re.compile(r"\r\n|\n|\r"), re.compile(r"(?:\r\n|\n|\r)\Z")
# An escape of JSON: a pair of surrogates, one of them alone, or any other.
_ESCAPE = re.compile(r"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL)


class NoJson(ValueError):
    """The text holds no JSON, and why."""


def read_json(text: str, *, strict: bool = False) -> tuple[Any, str]:
    """Return the value of a JSON text, and the part of the text that is JSON.

    Args:
        text: The answer.
        strict: Whether NaN and Infinity, which Python reads, count as none; so do numbers that are too large for it.

    Raises:
        NoJson: There is none, or no single one.
    """
    why, blocks = "", fenced_blocks(text)
    for part in (text, *(blocks if len(blocks) == 1 else ())):
        try:
            return json.loads(_whole(part), **(_STRICTLY if strict else {})), part
        except RecursionError:
            why = "it is nested too deeply"
        except ValueError as error:
            why = why or str(error)
    raise NoJson(why)


@dataclass(frozen=True)
class CodeBlock:
    """The inside of one code fence, and the language that the fence names."""

    text: str
    language: str = ""


def fenced_blocks(text: str) -> list[str]:
    """Return the inside of every code fence of a Markdown text; one that is never closed runs to the end."""
    return [block.text for block in code_blocks(text)]


def code_blocks(text: str) -> list[CodeBlock]:
    """Return every code fence of a Markdown text with its language; one that is never closed runs to the end."""
    blocks: list[CodeBlock] = []
    fence, indent, language, lines = "", "", "", list[str]()
    for line in _LINE_END.split(_LAST_END.sub("", text)):
        match = _FENCE.match(line)
        if not fence:
            if match and not (match[2][0] == "`" and "`" in match[3]):
                indent, fence, lines = match[1], match[2], []
                language = ([*match[3].split(maxsplit=1), ""])[0]
        elif match and match[2].startswith(fence) and not match[3].strip():
            blocks.append(CodeBlock("\n".join(lines), language))
            fence = ""
        else:
            lines.append(line.removeprefix(indent))
    return [*blocks, CodeBlock("\n".join(lines), language)] if fence else blocks


def _whole(text: str) -> str:
    r"""Return JSON with U+FFFD for each half of a character, such as `\ud83d`, which no text may have."""
    return _ESCAPE.sub(lambda match: r"\ufffd" if match[1] else match[0], text) if r"\u" in text else text


def _no_constant(name: str) -> NoReturn:
    raise NoJson(f"{name} is no number in JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise NoJson(f"{digits[:20]} is too large for a number")
    return number


_STRICTLY: dict[str, Any] = {"parse_constant": _no_constant, "parse_float": _finite}
