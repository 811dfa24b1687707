"""An environment with ipykernel 6, which has no subshells; made once and kept beside the code."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

PACKAGES = ("ipykernel==6.31.*", "ipywidgets>=8,<9", "httpx>=0.27,<1", "markdown-it-py>=3")
FOLDER = Path(__file__).parents[2] / ".venv-kernel6"


def old_python() -> str:
    """Return the Python of the environment; RuntimeError with pip's last words if it cannot be made."""
    home = FOLDER / f"{sys.version_info.major}.{sys.version_info.minor}"
    if not (home / "ready").exists():
        _make(home)
    return str(_python(home))


def _python(home: Path) -> Path:
    return home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _make(home: Path) -> None:
    """Several test processes may want it at once: the first to finish makes it ready."""
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / ".gitignore").write_text("*\n")
    draft = FOLDER / f"draft-{os.getpid()}"
    try:
        _run(sys.executable, "-m", "venv", str(draft))
        _run(str(_python(draft)), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PACKAGES)
        (draft / "ready").touch()
        if not home.exists():
            draft.rename(home)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        words = (done.stderr or done.stdout).strip()[-500:]
        raise RuntimeError(f"No environment with ipykernel 6 could be made: {words}")
