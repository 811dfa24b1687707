"""Opens JupyterLab with a notebook, a kernel that loads the extension and a setting; no profile is changed."""

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
        _disable_news(folder)
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
    """Write a `python3` kernel that loads the extension to a temporary Jupyter folder."""
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


def _disable_news(folder: Path) -> None:
    """Disable the question about news at JupyterLab's first start, which LabApp.news_url does not prevent."""
    (folder / "labconfig").mkdir()
    off = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}
    (folder / "labconfig" / "page_config.json").write_text(json.dumps(off), "utf-8")


def _lab_command(notebook: Path, browser: bool) -> list[str]:
    """Return the command, which asks no question at Ctrl-C."""
    return [
        *(sys.executable, "-m", "jupyterlab", str(notebook)),
        f"--ServerApp.root_dir={notebook.parent}",
        "--ServerApp.answer_yes=True",
        *([] if browser else ["--no-browser"]),
        f"--LabApp.default_url=/lab/tree/{quote(notebook.name)}",  # the printed address leads there too
        *(["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []),
    ]


def _end(lab: subprocess.Popen[bytes]) -> int:
    """End JupyterLab, unless Ctrl-C from the terminal already has."""
    for wait, push in ((1, lab.terminate), (10, lab.kill), (5, lab.kill)):
        try:
            lab.wait(wait)
            break
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            push()
    return 0
