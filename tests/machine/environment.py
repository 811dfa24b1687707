"""The environment in .venv, made by a bare python3: `python3 -m tests.machine.environment EXTRAS` (make does it).

Debian's python3 has no ensurepip until python3-venv is installed. Then pip comes from that package where it may be
installed, else as one pinned file from the package index.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from urllib.parse import urljoin

from tests.machine.system import Missing, install, run

HOME = Path(".venv")
PYTHON = HOME / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
INDEX = "https://pypi.org/simple"
PIP = "pip-26.3-py3-none-any.whl"
PIP_SHA256 = "f3b60b20ffaadd4415ed7957212a38ac63fa4c5fa375bd0f4a797777940fad13"


def main() -> int:
    """Make .venv, and install the package into it with the extras of the command line; the exit status."""
    try:
        if not _has_pip():
            _make()
    except Missing as missing:
        print(f"No environment can be made in .venv: {missing}", file=sys.stderr)
        return 1
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-e", f".[{sys.argv[1]}]"]
    return subprocess.run(pip, check=False).returncode


def _has_pip() -> bool:
    try:
        run(str(PYTHON), "-m", "pip", "--version")
    except Missing:
        return False
    return True


def _make() -> None:
    if importlib.util.find_spec("ensurepip") is None:
        try:
            install("python3-venv")
        except Missing as missing:
            print(f"python3-venv cannot be installed ({missing}); taking pip from the package index …", flush=True)
            _make_without_ensurepip()
            return
    run(sys.executable, "-m", "venv", str(HOME))


def _make_without_ensurepip() -> None:
    run(sys.executable, "-m", "venv", "--without-pip", str(HOME))
    with tempfile.TemporaryDirectory() as folder:
        wheel = Path(folder) / PIP
        wheel.write_bytes(_fetched())
        run(str(PYTHON), f"{wheel}/pip", "install", "--quiet", "--no-index", str(wheel))  # a wheel can be run as it is


def _fetched() -> bytes:
    page = f"{os.environ.get('PIP_INDEX_URL', INDEX).rstrip('/')}/pip/"
    try:
        with urllib.request.urlopen(page, timeout=60) as answer:
            link = re.search(rf'href="([^"#]*/{re.escape(PIP)})[#"]', answer.read().decode())
        if link is None:
            raise Missing(f"{page} does not list {PIP}")
        with urllib.request.urlopen(urljoin(page, link[1]), timeout=60) as answer:
            content = bytes(answer.read())
    except OSError as error:
        raise Missing(f"{page}: {error}; install python3-venv and try again") from None
    if hashlib.sha256(content).hexdigest() != PIP_SHA256:
        raise Missing(f"{PIP} is not the file that was expected")
    return content


if __name__ == "__main__":
    sys.exit(main())
