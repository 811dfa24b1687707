"""Whole turns against a real model: an Ollama that `make test-real HOST=…` names, or the engine of the demo server.

`make test-real GGUF=tiny.gguf` starts a demo server of its own with that file. The assertions are the same; only what
the engine refuses, thinking, is not asked of it.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from IPython.core.interactiveshell import InteractiveShell

if TYPE_CHECKING:
    from collections.abc import Iterator

HOST = os.environ.get("OLLAMA_MAGIC_REAL_HOST", "")
GGUF = os.environ.get("OLLAMA_MAGIC_REAL_GGUF", "")
collect_ignore_glob = [] if HOST or GGUF else ["test_*.py"]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out, where the engine answers, what is asked of a model that thinks or calls tools."""
    thinking = [item for item in items if not HOST and re.search("tiny-(think|tools)", item.nodeid)]
    if thinking:
        config.hook.pytest_deselected(items=thinking)
        items[:] = [item for item in items if item not in thinking]


@pytest.fixture(scope="session")
def real_server() -> Iterator[str]:
    """The address of the server with the reciting models."""
    if HOST:
        yield HOST
        return
    from ollama_magic.demo.demo_server import DemoServer
    from ollama_magic.demo.engine.local_models import local_models

    server = DemoServer(pace=0, local=local_models([f"{Path(GGUF).resolve()}=tiny"])).start()
    yield server.url
    server.stop()


@pytest.fixture
def shell(real_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[InteractiveShell]:
    """A shell with the extension loaded, that talks to the real server."""
    monkeypatch.setenv("OLLAMA_HOST", real_server)
    shell = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "ollama_magic")
    yield shell
    shell.run_line_magic("unload_ext", "ollama_magic")
    InteractiveShell.clear_instance()
