"""The public door: what it shows, and that it opens at first use."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import ollama_magic

DOOR = Path(ollama_magic.__file__)
FUNCTIONS = {"chat", "stream", "generate", "embed", "list", "show", "ps", "pull", "Conversation"}


def test_everything_public_is_there() -> None:
    """All names of the door can be taken, and the functions are among them."""
    assert set(ollama_magic.__all__) >= FUNCTIONS
    for name in FUNCTIONS:
        assert callable(getattr(ollama_magic, name))
    with pytest.raises(AttributeError):
        _ = ollama_magic.chatt


def test_type_checkers_see_them() -> None:
    """Every function is imported by name where only type checkers look, and the package says that it is typed."""
    tree = ast.parse(DOOR.read_text(encoding="utf8"))
    imports = [alias for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names]
    assert {alias.asname or alias.name for alias in imports} >= FUNCTIONS
    assert (DOOR.parent / "py.typed").exists()


def test_the_import_stays_light() -> None:
    """Importing the package brings in its version, and none of the rooms behind the door."""
    code = "import sys, ollama_magic\nprint([name for name in sys.modules if name.startswith('ollama_magic.')])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout
    assert found.split() == ["['ollama_magic.version']"]
