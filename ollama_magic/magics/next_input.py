"""Inserts a new cell below the running one, through the front end's own `set_next_input`."""

from __future__ import annotations

import sys
from typing import Any

from ollama_magic.display.host import request_of


def insert_cell(shell: Any, text: str) -> str:
    """Insert a cell with this text, which does not run; return why the front end would ignore it, empty if it does not.

    Args:
        shell: The shell that runs the command.
        text: The source of the new cell.
    """
    if not request_of(shell).attended:
        return "this notebook runs without a front end"
    if "google.colab" in sys.modules:
        return "Colab inserts no cells for a kernel"
    shell.set_next_input(text)
    return ""
