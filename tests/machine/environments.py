"""Environments beside the code, each made once: old versions of IPython, ipykernel, ipywidgets; the tools of Binder."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PYTHONPATH = os.pathsep.join([str(ROOT / "tests" / "quick"), str(ROOT)])  # of Jupyter's servers and of kernels
PIP = ("-m", "pip", "--quiet", "--disable-pip-version-check", "install")
# From 22.3 our own pip installs into an environment that has none.
REACHES_OUT = [int(part) for part in re.findall(r"\d+", version("pip"))[:2]] >= [22, 3]


def environment(name: str, *installations: tuple[str, ...]) -> Path:
    """Return the Python of `.venv-NAME`; RuntimeError with the last words of what failed if it cannot be made.

    Args:
        name: Names the folder beside the code; each version of Python has one of its own in it.
        installations: The arguments of each `pip install`, one after the other.

    """
    folder = ROOT / f".venv-{name}"
    home = folder / f"{sys.version_info.major}.{sys.version_info.minor}"
    if not python_in(home).exists():
        with _draft(folder, home) as draft:
            _install(draft, installations)
    return python_in(home)


def overlay(name: str, *packages: str) -> Path:
    """Return a folder of `.venv-NAME` with packages alone, as pip names them: on PYTHONPATH they come before ours.

    It is made in seconds, where an environment takes half a minute; RuntimeError if it cannot be made.
    """
    folder = ROOT / f".venv-{name}"
    home = folder / f"{sys.version_info.major}.{sys.version_info.minor}-packages"
    if not home.exists():
        with _draft(folder, home) as draft:
            run(sys.executable, *PIP, "--no-deps", "--no-compile", "--target", str(draft), *packages)
    return home


def _install(draft: Path, installations: tuple[tuple[str, ...], ...]) -> None:
    """Make an environment; what is imported there is compiled then, and nothing else."""
    python = str(python_in(draft))
    run(sys.executable, "-m", "venv", *(["--without-pip"] if REACHES_OUT else []), str(draft))
    pip = (sys.executable, *PIP[:-1], "--python", python) if REACHES_OUT else (python, *PIP[:-1])
    for packages in installations:
        run(*pip, "install", "--no-compile", *packages)


def python_in(home: Path) -> Path:
    """Where an environment has its Python."""
    return home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def run(*command: str, **options: object) -> str:
    """What a command prints; RuntimeError with its last words if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[:6])} …: {(done.stderr or done.stdout).strip()[-1500:]}")
    return done.stdout


@contextmanager
def _draft(folder: Path, home: Path) -> Iterator[Path]:
    """Make it under another name first; what comes twice, from two test processes at once, is thrown away."""
    folder.mkdir(exist_ok=True)
    (folder / ".gitignore").write_text("*\n")
    draft = folder / f"draft-{os.getpid()}"
    try:
        yield draft
        if not home.exists():
            draft.rename(home)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
