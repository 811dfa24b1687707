"""ipykernel 6, which has no subshells, with all else as it is here."""

import os

from tests.machine.environments import PYTHONPATH, overlay

PACKAGES = ("ipykernel==6.31.*", "nest-asyncio")


def old_kernel() -> dict[str, str]:
    """Return what a kernel needs in its environment; RuntimeError if the packages cannot be had."""
    return {"PYTHONPATH": os.pathsep.join([str(overlay("kernel6", *PACKAGES)), PYTHONPATH])}
