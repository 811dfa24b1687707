"""Which models on which hosts answer one prompt side by side. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollama_magic.errors import InputError
from ollama_magic.foreign import one_line
from ollama_magic.ollama.model_names import normal_name
from ollama_magic.turns.column_text import MOST

if TYPE_CHECKING:
    from collections.abc import Sequence


def paired(models: Sequence[str], hosts: Sequence[str]) -> list[tuple[str | None, str | None]]:
    """Return the model and the host of each answer that is asked for; with at most one of each it is a plain turn.

    Raises:
        InputError: A model stands there twice, there are too many, or models and hosts do not pair.
    """
    if len(hosts) > 1 and len(models) > 1 and len(hosts) != len(models):
        raise InputError(
            f"{len(models)} -m and {len(hosts)} --host do not pair; write one --host for each -m, in their order, or "
            "one for all."
        )
    count = max(len(models), len(hosts), 1)
    columns = [(_of_all(models, place), _of_all(hosts, place)) for place in range(count)]
    names = [(normal_name(model or ""), host) for model, host in columns]
    for (model, host), name in zip(columns, names, strict=True):
        if names.count(name) > 1:
            raise InputError(f"{one_line(model or host or '', 80)} stands there twice; name it once.")
    if count > MOST:
        raise InputError(f"{count} answers side by side are too many; at most {MOST} have room.")
    return columns


def _of_all(names: Sequence[str], place: int) -> str | None:
    """Return the name at a place; one name is for all places."""
    return names[place if len(names) > 1 else 0] if names else None
