"""The text of answers that stand side by side: a heading for each, and how such a text is read again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ollama_magic.foreign import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST = 8  # answers side by side
_TITLE = 500  # most characters of a heading


def column_titles(models: Sequence[str], hosts: Sequence[str]) -> list[str]:
    """Return what stands above each column: its model, and its server where they differ."""
    apart = len(set(hosts)) > 1
    names = [one_line(model) or "…" for model in models]
    return [f"{name} on {host}" if apart and host else name for name, host in zip(names, hosts, strict=True)]


def joined_columns(columns: Sequence[tuple[str, str]]) -> str:
    """Return titles and texts as one text, with a heading of Markdown above each."""
    return "\n\n".join(f"{_heading(title)}{text}" for title, text in columns)


def column_label(title: str, text: str, model: str, state: str) -> dict[str, object]:
    """Return what the metadata of an output says of one column, by which the text can be read again."""
    label: dict[str, object] = {"model": model, "state": state, "chars": len(text)}
    return label if title == one_line(model) else {**label, "title": title}


def split_columns(text: str, labels: object) -> list[tuple[Mapping[str, Any], str]] | None:
    """Return each column's label and text; None for labels that do not fit, such as after the text was edited."""
    found: list[tuple[Mapping[str, Any], str]] = []
    for label in labels if isinstance(labels, list) and len(labels) <= MOST else ():
        if not isinstance(label, Mapping):
            return None
        title, chars = label.get("title", label.get("model")), label.get("chars")
        heading = _heading(title) if isinstance(title, str) else ""
        if type(chars) is not int or chars < 0 or not heading or not text.startswith(heading):
            return None
        end = len(heading) + chars
        found.append((label, text[len(heading) : end]))
        text = text[end:].removeprefix("\n\n")
    return found if found and not text else None


def _heading(title: str) -> str:
    return f"## {one_line(title, _TITLE)}\n\n"
