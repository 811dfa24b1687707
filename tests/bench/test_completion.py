"""What a Tab costs: with a server that answers, with one that hangs, and in prose."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.bench.conftest import Figures

LIMIT_MS = 150


@pytest.fixture
def hanging() -> Iterator[str]:
    """An address that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@pytest.fixture
def tab() -> Iterator[Callable[[str], float]]:
    """Presses Tab behind a text; the milliseconds that it took."""
    shell = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "ollama_magic")

    def press(text: str) -> float:
        began = time.perf_counter()
        with provisionalcompleter():
            list(shell.Completer.completions(text, len(text)))
        return (time.perf_counter() - began) * 1000

    yield press
    shell.run_line_magic("unload_ext", "ollama_magic")
    InteractiveShell.clear_instance()


def test_tab_with_a_hanging_server(
    figures: Figures, tab: Callable[[str], float], hanging: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No Tab waits longer than a moment for a server that hangs, the first one of a kernel included."""
    monkeypatch.setenv("OLLAMA_HOST", hanging)
    figures.note("Tab for a model, first in the kernel, hanging server", tab("%%chat -m "), LIMIT_MS, "ms")
    figures.note("Tab for a model, later, hanging server", max(tab("%%chat -m g") for _ in range(20)), LIMIT_MS, "ms")


def test_tab_with_a_server(
    figures: Figures, tab: Callable[[str], float], server_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a server that answers, and in prose, Tab is there at once."""
    monkeypatch.setenv("OLLAMA_HOST", server_url)
    tab("%%chat -m ")
    figures.note("Tab for a model, server answers", max(tab("%%chat -m ") for _ in range(20)), LIMIT_MS, "ms")
    figures.note("Tab in prose", max(tab("%%chat\nwhat is a lis") for _ in range(20)), LIMIT_MS, "ms")
