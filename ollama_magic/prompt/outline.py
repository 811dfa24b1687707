"""A readable repr with a limit; it visits no more of a value than it shows, so huge lists cost nothing."""

from __future__ import annotations

import dataclasses
import re
from collections import deque
from collections.abc import Sized
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from ollama_magic.prompt.plain_text import plain_text
from ollama_magic.prompt.resolve import is_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_LINE, _DEEP = 100, 12
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+(?=>)")  # differs in each kernel
_BRACKETS: dict[type, tuple[str, str]] = {
    list: ("[", "]"),
    tuple: ("(", ")"),
    dict: ("{", "}"),
    set: ("{", "}"),
    frozenset: ("frozenset({", "})"),
    deque: ("deque([", "])"),
}


def outline(value: object, limit: int, mask: Callable[[str], str]) -> tuple[str, int, str]:
    """Return at most `limit` characters of text, and the whole size with its unit."""
    writer = _Writer(limit, mask)
    if not writer.opens(value):
        text = writer.leaf(value)
        if isinstance(value, bytes | bytearray) and len(value) > limit:  # no more of them was written
            return text[:limit], len(value), "bytes"
        return text[:limit], len(text), "characters"
    writer.write(value)
    size = len(value) if isinstance(value, Sized) else len(dataclasses.fields(value))  # type: ignore[arg-type]
    return "".join(writer.pieces), size, "items"


class _Full(Exception):  # no error
    """The budget is used up."""


class _Writer:
    """Writes a value within a budget of characters; `pieces` may end in the middle of it."""

    def __init__(self, budget: int, mask: Callable[[str], str]) -> None:
        self.pieces: list[str] = []
        self._left, self._mask = budget, mask

    def write(self, value: object, *, flat: bool = False, depth: int = 0) -> bool:
        """Write the value; False if it did not fit."""
        try:
            self._write(value, flat, depth)
        except _Full:
            return False
        return True

    def opens(self, value: object) -> bool:
        """Whether the value is shown by its items."""
        return _frame(value) is not None and not is_environment(value)

    def leaf(self, value: Any) -> str:
        """Return the text of a value without items: its repr, shortened if possible."""
        if is_environment(value):
            return "environ(…)"
        if isinstance(value, str | PurePath):
            return repr(self._mask(str(value)[: self._left]))
        if isinstance(value, bytes | bytearray):
            return repr(value[: self._left])
        if isinstance(value, int) and value.bit_length() > 10_000:  # Python refuses to write these, or takes long
            return f"<int of {value.bit_length():,} bits>"
        if type(value).__module__ == "numpy" and getattr(value, "shape", None) == ():
            return str(value)
        text = _ADDRESS.sub("", plain_text(value) or repr(value))
        return f"<{type(value).__name__} with the environment>" if "environ({" in text else self._mask(text)

    def _add(self, piece: str) -> None:
        self.pieces.append(piece[: self._left])
        self._left -= len(piece)
        if self._left <= 0:
            raise _Full

    def _write(self, value: object, flat: bool, depth: int) -> None:
        if not self.opens(value):
            self._add(self.leaf(value))
        elif depth >= _DEEP:
            self._add("…")
        elif flat or not self._write_flat(value, depth):
            self._write_open(value, flat, depth)

    def _write_flat(self, value: object, depth: int) -> bool:
        """Write the value on one line if it is small; return whether it was."""
        trial = _Writer(_LINE, self._mask)
        if not trial.write(value, flat=True, depth=depth):
            return False
        self._add("".join(trial.pieces))
        return True

    def _write_open(self, value: object, flat: bool, depth: int) -> None:
        """Write the items of a value, each on its own row, short ones side by side."""
        before, after = _frame(value) or ("", "")
        newline = "" if flat else "\n" + "  " * (depth + 1)
        self._add(before)
        column = _LINE
        for i, (label, child) in enumerate(self._children(value)):
            text = "" if label or self.opens(child) else self.leaf(child)
            beside = flat or (text != "" and column + len(text) <= _LINE)
            self._add("," * bool(i) + (" " * bool(i) if beside else newline) + label)
            column = column * beside + len(text) + 2 if text else _LINE
            self._write(child, flat, depth + 1)
        self._add(newline.removesuffix("  ") + after)

    def _children(self, value: Any) -> Iterator[tuple[str, object]]:
        if isinstance(value, dict):
            yield from ((f"{self._brief(key)}: ", child) for key, child in value.items())
        elif dataclasses.is_dataclass(value):
            yield from ((f"{one.name}=", getattr(value, one.name)) for one in dataclasses.fields(value) if one.repr)
        elif names := getattr(value, "_fields", None):
            yield from ((f"{name}=", child) for name, child in zip(names, value, strict=False))
        else:
            yield from (("", child) for child in _in_order(value))

    def _brief(self, key: object) -> str:
        writer = _Writer(_LINE, self._mask)
        whole = writer.write(key, flat=True)
        return "".join(writer.pieces) + "…" * (not whole)


def _frame(value: Any) -> tuple[str, str] | None:
    """Return the text before and after the items of a value; None for a value that is shown by its repr."""
    kind = type(value)
    for base, (before, after) in _BRACKETS.items():
        if not isinstance(value, base):
            continue
        if base is tuple and hasattr(kind, "_fields"):
            return f"{kind.__name__}(", ")"
        if kind in (set, frozenset) and not value:
            return f"{kind.__name__}(", ")"  # {} would be a dict
        if kind is not base:
            return f"{kind.__name__}({before}", f"{after})"
        return before, ",)" if isinstance(value, tuple) and len(value) == 1 else after
    made = dataclasses.is_dataclass(value) and not isinstance(value, type) and hasattr(kind.__repr__, "__wrapped__")
    return (f"{kind.__name__}(", ")") if made else None


def _in_order(value: Any) -> Iterable[object]:
    """Sort a small set, so that the same notebook gives the same prompt."""
    if isinstance(value, set | frozenset) and len(value) <= 1000:
        try:
            return sorted(value)
        except TypeError:
            return value
    return value  # type: ignore[no-any-return]
