"""The magics as others find them in this kernel: their settings, session and cell. What they do stands in `magics`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from IPython.core.getipython import get_ipython

from ollama_magic.line.traits import OllamaTraits

if TYPE_CHECKING:
    from ollama_magic.line.cell import Cell

NAME = "OllamaMagic"


class LoadedMagics(OllamaTraits):
    """Settings of ollama_magic, and what a notebook's turns are made with."""

    shell: Any
    cell: Cell


def loaded_magics() -> LoadedMagics | None:
    """Return the magics of this kernel, if the extension is loaded."""
    shell = get_ipython()
    found = shell.magics_manager.registry.get(NAME) if shell is not None else None
    return found if isinstance(found, LoadedMagics) else None
