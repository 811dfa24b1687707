"""What a value looks like as text in a prompt: at most 8,000 characters, whatever its size."""

from __future__ import annotations

import inspect
import types
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ollama_magic.prompt import table
from ollama_magic.prompt.outline import outline
from ollama_magic.prompt.resolve import NotFilled

if TYPE_CHECKING:
    from collections.abc import Callable

    Mask = Callable[[str], str]

LIMIT = 8_000
# Masking looks further than the cut, so that no half of a key is left before it.
WINDOW = LIMIT + 4_000


@dataclass(frozen=True)
class Description:
    """A value as text; `note` goes into the line above the answer, a `block` needs lines of its own."""

    text: str
    note: str = ""
    block: bool = False


def describe(value: object, mask: Mask) -> Description:
    """Describe a value; NotFilled if it has nothing to say, or any exception that its own code raises."""
    if isinstance(value, str):
        return _cut(value[:WINDOW], len(value), mask)
    own = _of_itself(value, "_repr_llm_")
    if own is None and table.is_table(value):
        drawn = table.draw(value, mask, LIMIT)
        return Description(mask(drawn.text), f" ({drawn.note})", block=True)
    if own is None:
        own = _of_itself(value, "_repr_markdown_")
    if own is None and isinstance(value, types.FunctionType | types.MethodType | types.BuiltinFunctionType | type):
        own = _source(value)
    if own is not None:
        return _cut(own[:WINDOW], len(own), mask)
    text, size, unit = outline(value, WINDOW, mask)
    text = f"{table.array_caption(value)}{text}"
    return _cut(text, size, mask, unit)


def _of_itself(value: object, method: str) -> str | None:
    """Ask an object to describe itself; a class cannot, only its instances."""
    own = None if isinstance(value, type) else getattr(value, method, None)
    if not callable(own):
        return None
    text = own()
    text = text[0] if isinstance(text, tuple) and text else text
    return text if isinstance(text, str) else None


def _source(value: Any) -> str:
    try:
        return inspect.getsource(value).rstrip("\n")
    except (OSError, TypeError):
        raise NotFilled("its source is not at hand") from None


def _cut(text: str, size: int, mask: Mask, unit: str = "characters") -> Description:
    """Cut at the limit and say of how much; `text` may be only the beginning of a text of that size."""
    masked = mask(text)
    if len(text) >= WINDOW:
        masked = masked[: len(masked) - (WINDOW - LIMIT)]
    elif len(masked) <= LIMIT:
        return Description(masked)
    kept = masked[:LIMIT]
    shown = f"the first {len(kept):,} characters " if unit == "characters" else ""
    return Description(f"{kept}… of {size:,} {unit}", f" ({shown}… of {size:,} {unit})")
