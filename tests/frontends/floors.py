"""An environment with the oldest versions that we promise to run on; made once and kept beside the code."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.kernel.kernel import ROOT

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = ROOT / ".venv-floors"
FLOORS = ("ipython==7.34.0", "ipykernel==6.31.0", "httpx==0.27.0", "markdown-it-py==3.0.0", "ipython_genutils==0.2.0")
# On its own, for it would bring the whole classic Notebook; a kernel needs ipython_genutils alone.
WIDGETS = "ipywidgets==7.7.1"


def floors_python() -> Path:
    """Return the Python of the environment; RuntimeError with pip's last words if it cannot be made."""
    home = FOLDER / f"{sys.version_info.major}.{sys.version_info.minor}"
    if not _python(home).exists():
        _make(home)
    return _python(home)


def _python(home: Path) -> Path:
    return home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _make(home: Path) -> None:
    """Make it under another name first, for several test processes may want it at once."""
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / ".gitignore").write_text("*\n")
    draft = FOLDER / f"draft-{os.getpid()}"
    pip = (str(_python(draft)), "-m", "pip", "--quiet", "--disable-pip-version-check", "install")
    try:
        _run(sys.executable, "-m", "venv", str(draft))
        _run(*pip, *FLOORS)
        _run(*pip, "--no-deps", WIDGETS)
        if not home.exists():
            draft.rename(home)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        words = (done.stderr or done.stdout).strip()[-500:]
        raise RuntimeError(f"No environment with {', '.join((*FLOORS, WIDGETS))} could be made: {words}")
