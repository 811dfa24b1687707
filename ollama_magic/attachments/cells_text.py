"""A notebook file as text: its cells and their text outputs, never images or HTML; nothing of it is executed."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from ollama_magic.foreign import printable, repaired

if TYPE_CHECKING:
    from collections.abc import Iterator

_FENCE = re.compile(r"`{3,}")
_LONGEST_NUMBER = 25  # digits; older Pythons take quadratic time for long ones


def cells_of(text: str) -> str | None:
    """Return the cells of a notebook file as Markdown; None if the text is no notebook."""
    if not text.lstrip().startswith("{") or '"nbformat"' not in text:
        return None
    try:
        data = json.loads(text, parse_int=lambda digits: int(digits[:_LONGEST_NUMBER]))
    except (ValueError, RecursionError):
        return None
    cells = data.get("cells")
    if not isinstance(cells, list) or not isinstance(data.get("nbformat"), int):
        return None
    language = _language(data.get("metadata"))
    return "\n\n".join(part for cell in cells if isinstance(cell, dict) for part in _parts(cell, language))


def _parts(cell: dict[str, Any], language: str) -> Iterator[str]:
    source = _text(cell.get("source"))
    if cell.get("cell_type") != "code":
        yield from [source] if source.strip() else []
        return
    if source.strip():
        yield _fenced(source, language)
    outputs = cell.get("outputs")
    texts = [_output(output) for output in outputs if isinstance(output, dict)] if isinstance(outputs, list) else []
    shown = "\n".join(text.rstrip("\n") for text in texts if text.strip())
    if shown:
        yield f"Output:\n\n{_fenced(shown, '')}"


def _output(output: dict[str, Any]) -> str:
    """Return the text of an output; empty for one that has none."""
    if output.get("output_type") == "error":
        lines = output.get("traceback")
        trace = "\n".join(map(str, lines)) if isinstance(lines, list) else ""
        return printable(trace or f"{output.get('ename', '')}: {output.get('evalue', '')}")
    data = output.get("data")
    return printable(_text(output.get("text")) or (_text(data.get("text/plain")) if isinstance(data, dict) else ""))


def _text(value: object) -> str:
    """Return a text that a notebook stores as a string or a list of lines."""
    lines = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    return repaired("".join(line for line in lines if isinstance(line, str)))


def _fenced(text: str, language: str) -> str:
    """Return a text in a fence that is longer than any fence inside."""
    fence = "`" * max([3, *(len(found) + 1 for found in _FENCE.findall(text))])
    return f"{fence}{language}\n{text.rstrip(chr(10))}\n{fence}"


def _language(metadata: object) -> str:
    """Return the language of a notebook's code; python if it does not say so in a word."""
    kernel = metadata.get("kernelspec") if isinstance(metadata, dict) else None
    language = kernel.get("language") if isinstance(kernel, dict) else None
    return language if isinstance(language, str) and re.fullmatch(r"[\w+#-]{1,20}", language) else "python"
