"""An environment with the oldest versions that we promise to run on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.machine.environments import environment

if TYPE_CHECKING:
    from pathlib import Path

FLOORS = ("ipython==7.34.0", "ipykernel==6.31.0", "httpx==0.27.0", "markdown-it-py==3.0.0", "ipython_genutils==0.2.0")
# On its own, for it would bring the whole classic Notebook; a kernel needs ipython_genutils alone.
WIDGETS = "ipywidgets==7.7.1"


def floors_python() -> Path:
    """Return the Python of the environment; RuntimeError if it cannot be made."""
    return environment("floors", FLOORS, ("--no-deps", WIDGETS))
