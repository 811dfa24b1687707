"""`make dist`: what stands in dist/ is whole and clean, and in a fresh environment the wheel answers its first turn."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

import ollama_magic

ROOT = Path(__file__).parents[2]
DIST = Path(os.environ.get("OLLAMA_MAGIC_DIST", ROOT / "dist"))
NAME = f"ollama_magic-{ollama_magic.__version__}"
WHEEL, SDIST = DIST / f"{NAME}-py3-none-any.whl", DIST / f"{NAME}.tar.gz"
UNWANTED = ("__pycache__", ".pyc", ".ipynb_checkpoints", "_cache", ".venv", ".egg-info", ".DS_Store", ".so")
# The first cells of somebody who has just installed it: no Ollama here, so the demo server is called.
FIRST_TURN = """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
asked = "reply = %chat Hello, how are you?"
for cell in "%load_ext ollama_magic", "%ollama demo", asked, "assert reply.state == 'complete'":
    shell.run_cell(cell, store_history=True).raise_error()
"""


def wheel_names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        assert archive.testzip() is None
        return set(archive.namelist())


def python_of(folder: Path) -> str:
    return str(folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))


def test_only_these_two() -> None:
    """The folder holds this version's wheel and source distribution, and nothing of another one."""
    assert {path.name for path in DIST.iterdir() if path.name != ".gitignore"} == {WHEEL.name, SDIST.name}


def test_the_wheel_is_whole_and_clean() -> None:
    """The package as it stands, with its type marker, the texts of the demo, the quickstart and JupyterLab's part."""
    names = wheel_names(WHEEL)
    here = [path for path in (ROOT / "ollama_magic").rglob("*") if path.is_file()]
    ours = {path.relative_to(ROOT).as_posix() for path in here if "__pycache__" not in path.parts}
    labextension = f"{NAME}.data/data/share/jupyter/labextensions/ollama-magic/"
    assert ours | {"ollama_magic/demo/quickstart.ipynb", f"{labextension}package.json"} <= names
    assert "ollama_magic/py.typed" in ours
    assert not [name for name in names if any(part in name for part in UNWANTED)]
    assert WHEEL.stat().st_size < 2_000_000


def test_the_sdist_makes_the_same_wheel(tmp_path: Path) -> None:
    """Nothing is missing from the source distribution, and nothing is in it that was only lying about."""
    with tarfile.open(SDIST) as archive:
        names = archive.getnames()
        assert not [name for name in names if any(part in name for part in UNWANTED)]
        archive.extractall(tmp_path, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
    (wheel,) = WheelBuilder(str(tmp_path / NAME)).build(directory=str(tmp_path / "again"), versions=["standard"])
    assert wheel_names(Path(wheel)) == wheel_names(WHEEL)


@pytest.mark.timeout(600)
def test_the_first_turn_in_a_fresh_environment(tmp_path: Path) -> None:
    """The wheel brings all that it needs; an empty environment, with no word of ours on its path, answers."""
    environ = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "fresh")], check=True)
    python = python_of(tmp_path / "fresh")
    pip = [python, "-m", "pip", "--quiet", "--disable-pip-version-check", "install", str(WHEEL)]
    subprocess.run(pip, check=True, env=environ)
    done = subprocess.run(
        [python, "-c", FIRST_TURN], cwd=tmp_path, env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Hello there!" in done.stdout
    assert "recorded: gemma3:1b, 2025-04-22" in done.stdout
    where = "import ollama_magic as m, importlib.metadata as d; print(m.__file__, d.version('ollama_magic'))"
    found = subprocess.run([python, "-c", where], cwd=tmp_path, env=environ, capture_output=True, text=True, check=True)
    assert str(tmp_path) in found.stdout
    assert found.stdout.split()[-1] == ollama_magic.__version__
