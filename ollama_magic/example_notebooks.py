"""The example notebooks, as the wheel has them or as a checkout has them, and copies of them to work in."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

from ollama_magic.errors import InputError

FIRST = "quickstart.ipynb"
OTHERS = ("conversation.ipynb", "models.ipynb", "panel.ipynb", "data.ipynb", "tools.ipynb")  # where the links lead


def copy_examples(folder: Path) -> Path:
    """Copy the examples into a folder, without their saved answers; a notebook that is there is never touched.

    Args:
        folder: An existing folder.

    Returns:
        The fresh copy of the quickstart: `quickstart-2.ipynb` where there is one already.

    Raises:
        InputError: An example is missing from this installation, or the folder cannot be written to.

    """
    sources = {name: _source(name) for name in (FIRST, *OTHERS)}
    try:
        for name in OTHERS:
            _copied(sources[name], folder / name)
        number = 1
        while not _copied(sources[FIRST], copy := folder / _numbered(number)):
            number += 1
    except OSError as error:
        raise InputError(f"No notebook can be written to {folder} ({error.strerror}).") from None
    return copy


def _source(name: str) -> Path:
    package = Path(str(files("ollama_magic")))
    for path in (package / "demo" / name, package.parent / "examples" / name):
        if path.is_file():
            return path
    raise InputError(f"The example {name} is missing from this installation; install ollama_magic again.")


def _numbered(number: int) -> str:
    return FIRST if number == 1 else FIRST.replace(".", f"-{number}.")


def _copied(source: Path, target: Path) -> bool:
    """Copy a notebook unless the file exists; return whether it was copied."""
    try:
        with target.open("xb") as copy:
            copy.write(_without_answers(source.read_bytes()))
    except FileExistsError:
        return False
    return True


def _without_answers(notebook: bytes) -> bytes:
    """Remove the saved answers, which are for readers only."""
    content = json.loads(notebook)
    for cell in content["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    return json.dumps(content, ensure_ascii=False, indent=1).encode() + b"\n"
