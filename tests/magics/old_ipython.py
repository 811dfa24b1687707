"""An environment with IPython 7.34, the oldest that we promise; made once and kept beside the code."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

VERSION = "7.34.0"
FOLDER = Path(__file__).parents[2] / ".venv-ipython7"


def old_python() -> Path:
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
    try:
        _run(sys.executable, "-m", "venv", str(draft))
        _run(
            str(_python(draft)), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", f"ipython=={VERSION}"
        )
        if not home.exists():
            draft.rename(home)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        words = (done.stderr or done.stdout).strip()[-500:]
        raise RuntimeError(f"No environment with IPython {VERSION} could be made: {words}")
