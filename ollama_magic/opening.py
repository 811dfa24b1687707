"""JupyterLab, opened on a notebook with a kernel and a setting of our own; the user's profile stays as it is."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import quote


def open_lab(notebook: Path, kernel_environment: dict[str, str], browser: bool) -> int:
    """Run JupyterLab until it ends or Ctrl-C; its kernels have the extension loaded."""
    folder = Path(tempfile.mkdtemp(prefix="ollama-magic-"))
    try:
        write_kernel(folder, kernel_environment)
        _ask_nothing(folder)
        ours = {name: _with(folder, name) for name in ("JUPYTER_PATH", "JUPYTER_CONFIG_PATH")}
        print(f"JupyterLab opens {notebook}; Ctrl-C ends it.", flush=True)
        lab = subprocess.Popen(_lab_command(notebook, browser), env={**os.environ, **ours})  # noqa: S603
        try:
            return lab.wait()
        except KeyboardInterrupt:
            return _end(lab)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _with(folder: Path, name: str) -> str:
    return os.pathsep.join(filter(None, [str(folder), os.environ.get(name)]))


def write_kernel(folder: Path, environment: dict[str, str]) -> None:
    """A `python3` kernel that loads the extension, in a Jupyter folder of our own."""
    place = folder / "kernels" / "python3"
    place.mkdir(parents=True)
    kernel = {
        "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", "--ext=ollama_magic"],
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
        "metadata": {"debugger": True},
        "env": environment,
    }
    (place / "kernel.json").write_text(json.dumps(kernel), "utf-8")


def _ask_nothing(folder: Path) -> None:
    """JupyterLab asks at its first start about news, whatever LabApp.news_url says."""
    (folder / "labconfig").mkdir()
    off = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}
    (folder / "labconfig" / "page_config.json").write_text(json.dumps(off), "utf-8")


def _lab_command(notebook: Path, browser: bool) -> list[str]:
    """Without a question about ending at Ctrl-C."""
    return [
        *(sys.executable, "-m", "jupyterlab", str(notebook)),
        f"--ServerApp.root_dir={notebook.parent}",
        "--ServerApp.answer_yes=True",
        *([] if browser else ["--no-browser"]),
        f"--LabApp.default_url=/lab/tree/{quote(notebook.name)}",  # the address that is printed leads there too
        *(["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []),
    ]


def _end(lab: subprocess.Popen[bytes]) -> int:
    """Ctrl-C has reached JupyterLab too, if it came from the terminal; else it is told."""
    for wait, push in ((1, lab.terminate), (10, lab.kill), (5, lab.kill)):
        try:
            lab.wait(wait)
            break
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            push()
    return 0
