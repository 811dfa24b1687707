"""Describes a value as text for a prompt, with at most 8,000 characters or another limit."""

from __future__ import annotations

import inspect
import types
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ollama_magic.prompt import frames
from ollama_magic.prompt.outline import outline
from ollama_magic.prompt.plain_text import plain_text
from ollama_magic.prompt.resolve import NotFilled

if TYPE_CHECKING:
    from collections.abc import Callable

    Mask = Callable[[str], str]

LIMIT = 8_000
BEYOND = 4_000  # masked beyond the cut, so that no half of a key remains


@dataclass(frozen=True)
class Description:
    """A value as text; `note` is for the line above the answer, a `block` needs lines of its own.

    `cut` is the size in characters of a text that was cut, else 0.
    """

    text: str
    note: str = ""
    block: bool = False
    cut: int = 0


def describe(value: object, mask: Mask, limit: int = LIMIT) -> Description:
    """Describe a value; raise NotFilled if that is not possible, or any exception of the value's own code."""
    window = limit + BEYOND
    if isinstance(value, str):
        return _cut(value[:window], len(value), mask, limit)
    own = _own_description(value, "_repr_llm_")
    if own is None and frames.is_table(value):
        drawn = frames.draw(value, mask, limit)
        return Description(mask(drawn.text), f" ({drawn.note})", block=True)
    if own is None:
        own = plain_text(value) or _own_description(value, "_repr_markdown_")
    if own is None and isinstance(value, types.FunctionType | types.MethodType | types.BuiltinFunctionType | type):
        own = _source(value)
    if own is not None:
        return _cut(own[:window], len(own), mask, limit)
    text, size, unit = outline(value, window, mask)
    text = f"{frames.array_caption(value)}{text}"
    return _cut(text, size, mask, limit, unit)


def _own_description(value: object, method: str) -> str | None:
    """Return an instance's own description; classes have none."""
    own = None if isinstance(value, type) else getattr(value, method, None)
    if not callable(own):
        return None
    text = own()
    text = text[0] if isinstance(text, tuple) and text else text
    return text if isinstance(text, str) else None


def _source(value: Any) -> str:
    owner = getattr(value, "__self__", None)
    if owner is not None and not isinstance(owner, types.ModuleType) and getattr(value, "__module__", "") != "__main__":
        raise NotFilled(f"{getattr(value, '__name__', 'it')} is a method, and nothing is called")
    try:
        return inspect.getsource(value).rstrip("\n")
    except (OSError, TypeError):
        raise NotFilled("its source is not available") from None


def _cut(text: str, size: int, mask: Mask, limit: int, unit: str = "characters") -> Description:
    """Cut a text at the limit, with a note; `text` may be only the beginning of a text of that size."""
    masked = mask(text)
    if len(text) >= limit + BEYOND:
        masked = masked[: len(masked) - BEYOND]
    elif len(masked) <= limit:
        return Description(masked)
    first = masked[:limit]
    shown = f"the first {len(first):,} characters " if unit == "characters" else ""
    cut = size if unit == "characters" else 0
    return Description(f"{first}… of {size:,} {unit}", f" ({shown}… of {size:,} {unit})", cut=cut)
