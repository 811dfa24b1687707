"""IPython 7.34, the oldest that we promise: it is in the environment of the floors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.frontends.floors import FLOORS, floors_python

if TYPE_CHECKING:
    from pathlib import Path

VERSION = FLOORS[0].removeprefix("ipython==")


def old_python() -> Path:
    """Return the Python of the environment; RuntimeError if it cannot be made."""
    return floors_python()
