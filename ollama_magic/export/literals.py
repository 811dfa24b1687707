"""Text as literals of JSON, Python and Java, which are inert and exact.

Invisible and formatting characters are escaped, so that a copy from the screen is the same text.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from unicodedata import category

from ollama_magic.foreign import repaired, visible

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_JAVA_PIECE = 10_000  # characters: a constant of a class file has at most 65,535 bytes, six for an emoji


def json_literal(value: object) -> str:
    """Return a value as JSON on one line."""
    return _plain(repaired(json.dumps(value, ensure_ascii=False, allow_nan=False)), _json_escape)


def json_body(body: Mapping[str, object]) -> str:
    """Return a request's body with one field, and one message, per line."""
    fields = [f"  {json_literal(name)}: {_json_field(value)}" for name, value in body.items()]
    return "{\n" + ",\n".join(fields) + "\n}"


def python_literal(value: object) -> str:
    """Return a JSON value as Python on one line; texts have double quotes unless they contain some."""
    if isinstance(value, str):
        text = repaired(value)
        quoted = repr(text)
        return _plain(quoted if '"' in text else f'"{quoted[1:-1]}"', _python_escape)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{python_literal(k)}: {python_literal(v)}" for k, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(python_literal, value)) + "]"
    return repr(value)


def java_literal(text: str) -> str:
    """Return a text without line breaks and hidden characters, such as JSON, as a Java string."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def java_text(text: str, indent: str) -> str:
    r"""Return a JSON text as a text block; a long one as pieces that the program joins.

    Every backslash is doubled, so that none begins a \uXXXX escape, which Java reads before everything else.
    """
    if len(text) > _JAVA_PIECE:
        pieces = [text[i : i + _JAVA_PIECE] for i in range(0, len(text), _JAVA_PIECE)]
        return 'String.join("",\n' + ",\n".join(indent + java_literal(piece) for piece in pieces) + ")"
    lines = text.replace("\\", "\\\\").replace('"""', '\\"""').split("\n")
    return '"""\n' + "".join(f"{indent}{line}\n" for line in lines) + f'{indent}"""'


def _json_field(value: object) -> str:
    if not isinstance(value, list):
        return json_literal(value)
    return "[\n" + ",\n".join(f"    {json_literal(item)}" for item in value) + "\n  ]"


def _plain(text: str, escape: Callable[[str], str]) -> str:
    """Escape every character that a screen would not show as itself."""
    if not text.isascii() or not text.isprintable():
        text = "".join(char if char.isprintable() and visible(char) == char else escape(char) for char in text)
        if visible(text) != text:  # stacked combining marks
            text = "".join(escape(char) if category(char).startswith("M") else char for char in text)
    return text


def _json_escape(char: str) -> str:
    return json.dumps(char)[1:-1] if ord(char) != 0x7F else "\\u007f"


def _python_escape(char: str) -> str:
    return f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}"
