"""The table of figures: each benchmark notes what it measured, all are printed at the end, and a bad miss fails."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import browser, lab, notebook, open_page, spare_pages  # noqa: F401 (fixtures)
from tests.kernel.kernel import ROOT, Kernel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

FORGIVEN = 1.5  # a busy machine may miss a limit by half
ROWS: list[tuple[str, float, float, str]] = []


class Figures:
    """Takes down what was measured; `limit` is the most that it may be."""

    def note(self, figure: str, measured: float, limit: float, unit: str = "") -> None:
        """Add a row; fail if the limit is missed badly."""
        ROWS.append((figure, limit, measured, unit))
        print(f"\n{figure}: {measured:.2f} {unit} (limit {limit:g})", flush=True)
        assert measured <= FORGIVEN * limit, f"{figure}: {measured:.2f} {unit}, limit {limit:g}"

    def tell(self, figure: str, measured: float, unit: str = "") -> None:
        """Add a row without a limit."""
        ROWS.append((figure, 0, measured, unit))


@pytest.fixture
def figures() -> Figures:
    """Where measurements go."""
    return Figures()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table."""
    if ROWS:
        terminalreporter.section("figures")
    for figure, limit, measured, unit in ROWS:
        verdict = f"{limit:>8g}   {'met' if measured <= limit else 'MISSED'}" if limit else f"{'–':>8}"
        terminalreporter.line(f"{figure:<72} {measured:>8.2f} {unit:<8} limit {verdict}")


@pytest.fixture(scope="session")
def server_url(bare_machine: Path) -> Iterator[str]:
    """A demo server in a process of its own; `serve` says what it answers."""
    command = [sys.executable, "-m", "tests.bench.serve"]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdin
    yield process.stdout.readline().strip()
    process.stdin.close()
    process.wait(10)
    process.stdout.close()


@pytest.fixture
def new_kernel(bare_machine: Path, server_url: str) -> Iterator[Callable[[], Kernel]]:
    """Starts kernels that know the server; all end with the test."""
    started: list[Kernel] = []

    def start() -> Kernel:
        started.append(Kernel({"OLLAMA_HOST": server_url, "BENCH_SERVER": server_url, "PYTHONDONTWRITEBYTECODE": ""}))
        return started[-1]

    yield start
    for kernel in started:
        kernel.stop()
