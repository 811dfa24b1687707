"""What is around the code: the wheel, and the commands of the Makefile."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder

import ollama_magic

ROOT = Path(__file__).parent.parent
LABEXTENSION = ROOT / "labextension"


def make(*arguments: str) -> str:
    """What make prints; this test may itself run under a make."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    done = subprocess.run(["make", *arguments], cwd=ROOT, env=environ, capture_output=True, text=True, check=True)
    return done.stdout


def test_the_wheel(tmp_path: Path) -> None:
    """The wheel holds the package, its type marker, the licence, the examples and JupyterLab's part, and no tests."""
    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    licence = f"ollama_magic-{ollama_magic.__version__}.dist-info/licenses/LICENSE"
    assert {"ollama_magic/py.typed", "ollama_magic/demo/quickstart.ipynb", licence} <= names
    assert {f"ollama_magic/demo/{path.name}" for path in (ROOT / "examples").glob("*.ipynb")} <= names
    assert {f"ollama_magic/{name}" for name in ("display/live.css", "panel/panel.css", "panel/panel.js")} <= names
    assert {name.split("/")[0].split("-")[0] for name in names} == {"ollama_magic"}
    shared = f"ollama_magic-{ollama_magic.__version__}.data/data/share/jupyter/labextensions/ollama-magic/"
    ours = {name.removeprefix(shared) for name in names if name.startswith(shared)}
    assert ours == {path.relative_to(LABEXTENSION).as_posix() for path in LABEXTENSION.rglob("*") if path.is_file()}
    assert {"package.json", "install.json", "static/remoteEntry.js"} <= ours


def test_jupyterlabs_part() -> None:
    """JupyterLab's part has our version; its modules say what they are, are small, and make no HTML of any text."""
    package = json.loads((LABEXTENSION / "package.json").read_text("utf8"))
    assert package["version"] == ollama_magic.__version__
    assert (LABEXTENSION / package["jupyterlab"]["_build"]["load"]).exists()
    modules = {path.name: path.read_text("utf8") for path in (LABEXTENSION / "static").glob("*.js")}
    assert not [name for name, text in modules.items() if not re.match(r"/\*\* [A-Z].+ \*/\n", text)]
    assert not [name for name, text in modules.items() if text.count("\n") > 170]
    forbidden = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function|https?:")
    assert not [name for name, text in modules.items() if forbidden.search(text)]


def test_the_sdist(tmp_path: Path) -> None:
    """The source distribution can be built and tested: it has the tests, the examples and the Makefile."""
    (sdist,) = SdistBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    with tarfile.open(sdist) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames()}
    assert {
        "pyproject.toml",
        "Makefile",
        "README.md",
        "README.zh.md",
        "labextension/package.json",
        "tests/conftest.py",
        "examples/quickstart.ipynb",
        *(f"docs/{name}.md" for name in ("design", "protocol", "reference", "safety", "speed")),
    } <= names
    assert not [name for name in names if name.startswith((".venv", ".git/"))]


@pytest.mark.parametrize("target", ["demo", "test", "bench", "binder", "dist", "docs", "lint"])
def test_make(target: str) -> None:
    """Each target sets itself up in .venv and prints the line that does the same without make."""
    commands = make("--dry-run", "--always-make", target)
    assert "-m venv .venv" in commands
    extra = {"demo": "examples", "docs": "docs"}.get(target, "dev")
    assert f"without make: python3 -m venv .venv && .venv/bin/python -m pip install -e '.[{extra}]'" in commands
    assert f"tests.machine.environment {extra}\n" in commands


def test_make_alone_shows_the_targets() -> None:
    """`make` alone says what there is and does nothing."""
    assert {"demo", "test", "bench", "binder", "dist", "docs", "lint"} <= {
        line.split()[1] for line in make().splitlines()
    }


def committed() -> list[str]:
    """The files that git has; without git, those that the source distribution would have."""
    try:
        done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return [included.distribution_path for included in SdistBuilder(str(ROOT)).recurse_included_files()]
    return done.stdout.split()


def test_no_traces_of_a_machine() -> None:
    """No committed file names a folder of the machine it was written on."""
    listed = committed()
    assert "Makefile" in listed
    texts = [ROOT / name for name in listed if not name.endswith((".png", ".webp", ".gz", ".xz", ".zip"))]
    folders = re.compile(r"/(?:root|work|farm|home/\w+)/\w")
    assert not [path.name for path in texts if path.exists() and folders.search(path.read_text("utf8", "replace"))]
