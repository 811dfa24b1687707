"""Finds the loaded magics of this kernel: their settings, session and cell. `magics` implements them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from IPython.core.getipython import get_ipython

from ollama_magic.line.traits import OllamaTraits

if TYPE_CHECKING:
    from ollama_magic.line.cell import Cell

NAME = "OllamaMagic"


class LoadedMagics(OllamaTraits):
    """The settings of ollama_magic with the shell and cell of this kernel."""

    shell: Any
    cell: Cell


def loaded_magics() -> LoadedMagics | None:
    """Return the magics of this kernel, if the extension is loaded."""
    shell = get_ipython()
    found = shell.magics_manager.registry.get(NAME) if shell is not None else None
    return found if isinstance(found, LoadedMagics) else None
