"""`make dist`: what stands in dist/ is whole and clean, and in a fresh environment the wheel answers its first turn."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder
from readme_renderer import markdown

import ollama_magic
from tests.pages import broken_links

ROOT = Path(__file__).parents[2]
DIST = Path(os.environ.get("OLLAMA_MAGIC_DIST", ROOT / "dist"))
NAME = f"ollama_magic-{ollama_magic.__version__}"
WHEEL, SDIST = DIST / f"{NAME}-py3-none-any.whl", DIST / f"{NAME}.tar.gz"
UNWANTED = (
    "__pycache__",
    ".pyc",
    ".ipynb_checkpoints",
    "pytest_cache",
    "mypy_cache",
    "ruff_cache",
    ".venv",
    ".egg-info",
    ".DS_Store",
    ".so",
)
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


def test_the_metadata() -> None:
    """They say version, licence, Python and every extra, and name no address that nobody has."""
    with zipfile.ZipFile(WHEEL) as archive:
        found = message_from_bytes(archive.read(f"{NAME}.dist-info/METADATA"))
    project = (ROOT / "pyproject.toml").read_text("utf8").partition("[project.optional-dependencies]\n")[2]
    assert found["Version"] == ollama_magic.__version__
    assert found["License-Expression"] == "BSD-3-Clause"
    assert found["Requires-Python"] == ">=3.10"
    assert found["Description-Content-Type"] == "text/markdown"
    assert set(found.get_all("Provides-Extra")) == set(
        re.findall(r"^(\w+) = \[", project.partition("\n[")[0], re.MULTILINE)
    )
    assert not found.get_all("Project-URL")


def test_the_readme_as_the_index_shows_it() -> None:
    """The package index renders it: headings, lines of code, the picture's text, and nothing is taken out."""
    with zipfile.ZipFile(WHEEL) as archive:
        text = message_from_bytes(archive.read(f"{NAME}.dist-info/METADATA")).get_payload(decode=True).decode("utf8")
    assert text.strip() == (ROOT / "README.md").read_text("utf8").strip()
    complaints = io.StringIO()
    html = markdown.render(text, stream=complaints)
    assert html
    assert not complaints.getvalue()
    assert html.count("<h2") == text.count("\n## ")
    assert html.count("<pre") == text.count("\n```") // 2
    assert "alt=" in html


def test_the_links_of_the_source_distribution(tmp_path: Path) -> None:
    """What the pages of the source distribution link to is in it."""
    with tarfile.open(SDIST) as archive:
        archive.extractall(tmp_path, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
    unpacked = tmp_path / NAME
    pages = [*unpacked.glob("*.md"), *(unpacked / "docs").rglob("*.md"), *(unpacked / "examples").glob("*.ipynb")]
    assert len(pages) > 30
    assert not {page.name: broken for page in pages if (broken := broken_links(page))}


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
