"""Whole turns against a real Ollama: only where `make test-real HOST=…` names one."""

import os

import pytest
from IPython.core.interactiveshell import InteractiveShell

HOST = os.environ.get("OLLAMA_MAGIC_REAL_HOST", "")
collect_ignore_glob = [] if HOST else ["test_*.py"]


@pytest.fixture
def shell(monkeypatch):
    """A shell with the extension loaded, that talks to the real server."""
    monkeypatch.setenv("OLLAMA_HOST", HOST)
    shell = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "ollama_magic")
    yield shell
    shell.run_line_magic("unload_ext", "ollama_magic")
    InteractiveShell.clear_instance()
