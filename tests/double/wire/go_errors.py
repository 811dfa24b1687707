"""Durations and JSON as Go reads them, with the texts of its errors; no I/O."""

from __future__ import annotations

import json
import re

from ollama_magic.demo.transport.go_format import quoted

_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"(\d+\.?\d*|\.\d+)([^\d.]*)")


def go_duration(text: str) -> float:
    """Seconds of a Go duration such as `1h30m`; ValueError with Go's own text."""
    sign, rest = (-1.0, text[1:]) if text[:1] == "-" else (1.0, text[1:] if text[:1] == "+" else text)
    if rest == "0":
        return 0.0
    total, position = 0.0, 0
    while position < len(rest) or not rest:
        part = _PART.match(rest, position)
        if part is None:
            raise ValueError(f"time: invalid duration {quoted(text)}")
        total += float(part.group(1)) * _unit(part.group(2), text)
        position = part.end()
    return sign * total


def _unit(unit: str, text: str) -> float:
    if not unit:
        raise ValueError(f"time: missing unit in duration {quoted(text)}")
    if unit not in _UNITS:
        raise ValueError(f"time: unknown unit {quoted(unit)} in duration {quoted(text)}")
    return _UNITS[unit]


def read_json(body: bytes) -> object:
    """The first JSON value of a body; what follows it is ignored; ValueError with Go's own text."""
    text = body.decode("utf-8", "replace")
    start = len(text) - len(text.lstrip(" \t\r\n"))
    if start == len(text):
        raise ValueError("missing request body")
    try:
        value: object = json.JSONDecoder(parse_constant=_no_constant).raw_decode(text, start)[0]
    except json.JSONDecodeError as error:
        raise ValueError(_syntax_error(error)) from None
    except RecursionError:
        raise ValueError("exceeded max depth") from None
    return value


def _no_constant(name: str) -> object:
    raise ValueError(f"invalid character '{name.lstrip('-')[0]}' looking for beginning of value")


_CONTEXTS = {
    "Expecting property name": "looking for beginning of object key string",
    "Expecting value": "looking for beginning of value",
    "Illegal trailing comma before end of object": "looking for beginning of object key string",
    "Illegal trailing comma before end of array": "looking for beginning of value",
    "Expecting ':'": "after object key",
    "Invalid control character": "in string literal",
    "Invalid \\escape": "in string escape code",
    "Invalid \\uXXXX": "in \\u hexadecimal character escape",
}


def _syntax_error(error: json.JSONDecodeError) -> str:
    rest = error.doc[error.pos :]
    if error.msg.startswith("Illegal trailing comma"):  # since Python 3.13 the comma is meant, not what follows it
        rest = rest[1:]
    rest = rest if error.msg.startswith("Invalid") else rest.lstrip(" \t\r\n")
    if not rest or error.msg.startswith("Unterminated string"):
        return "unexpected EOF"
    after = "after array element" if _in_array(error.doc[: error.pos]) else "after object key:value pair"
    context = next((words for key, words in _CONTEXTS.items() if error.msg.startswith(key)), after)
    first = rest.encode("utf-8", "replace")[0]
    shown = {"'": "'\\''", '"': "'\"'"}.get(chr(first), f"'{quoted(chr(first))[1:-1]}'")
    return f"invalid character {shown} {context}"


def _in_array(text: str) -> bool:
    """Whether the innermost bracket that is open at the end of the text is a square one."""
    open_ones: list[str] = []
    for bracket in re.findall(r"[\[\]{}]", re.sub(r'"(?:\\.|[^"\\])*"', "", text)):
        if bracket in "[{":
            open_ones.append(bracket)
        elif open_ones:
            open_ones.pop()
    return open_ones[-1:] == ["["]
