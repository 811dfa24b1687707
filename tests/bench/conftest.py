"""The table of figures: each benchmark notes what it measured, all are printed at the end, and a bad miss fails."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import lab, notebook, open_page  # noqa: F401 (fixtures)
from tests.frontends.conftest import browser  # noqa: F401 (a fixture)
from tests.kernel.kernel import ROOT, Kernel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FORGIVEN = 1.5  # a busy machine may miss a limit by half
ROWS: list[tuple[str, float, float, str]] = []
SPEED = """# Speed

Written by `make bench`, which fails where a figure misses its limit by more than half. A figure that depends on the
machine is a ratio (×) to something that was measured in the same run: a loop that only reads the answer, or a widget
that shows only its last 80 characters.

Measured with Python {python}, ipykernel {ipykernel} and JupyterLab {jupyterlab} on {cores} cores.

| figure | measured | limit |
| --- | --- | --- |
{rows}
"""


class Figures:
    """Takes down what was measured; `limit` is the most that it may be."""

    def note(self, figure: str, measured: float, limit: float, unit: str = "") -> None:
        """Add a row; fail if the limit is missed badly."""
        ROWS.append((figure, limit, measured, unit))
        print(f"\n{figure}: {measured:.2f} {unit} (limit {limit:g})", flush=True)
        assert measured <= FORGIVEN * limit, f"{figure}: {measured:.2f} {unit}, limit {limit:g}"

    def note_only(self, figure: str, measured: float, unit: str = "") -> None:
        """Add a row without a limit."""
        ROWS.append((figure, 0, measured, unit))


@pytest.fixture(scope="module")
def spare_pages() -> list[object]:
    """The pages that a benchmark has left to the next one of its file."""
    return []


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


def pytest_sessionfinish(exitstatus: int) -> None:
    """Write the file that OLLAMA_MAGIC_SPEED names, after a run to the end."""
    ended = exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
    if ROWS and ended and "OLLAMA_MAGIC_SPEED" in os.environ:
        Path(os.environ["OLLAMA_MAGIC_SPEED"]).write_text(speed_page(), "utf8")


def speed_page() -> str:
    """The figures as a page."""
    rows = [
        f"| {figure} | {measured:.3g} {unit}".rstrip() + f" | {_limit(limit, measured)} |"
        for figure, limit, measured, unit in ROWS
    ]
    versions = {name: version(name) for name in ("ipykernel", "jupyterlab")}
    return SPEED.format(python=platform.python_version(), cores=os.cpu_count(), rows="\n".join(rows), **versions)


def _limit(limit: float, measured: float) -> str:
    if not limit:
        return "–"
    return f"{limit:g}" if measured <= limit else f"{limit:g}, missed"


@pytest.fixture(scope="session")
def token_times(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The file with the times at which the server sent the tokens of its last answer."""
    return str(tmp_path_factory.mktemp("serve") / "times.json")


@pytest.fixture(scope="session")
def server_url(bare_machine: Path, token_times: str) -> Iterator[str]:
    """A demo server in a process of its own; `serve` says what it answers."""
    command, environ = [sys.executable, "-m", "tests.bench.serve"], {**os.environ, "BENCH_TIMES": token_times}
    process = subprocess.Popen(command, cwd=ROOT, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdin
    yield process.stdout.readline().strip()
    process.stdin.close()
    process.wait(10)
    process.stdout.close()


@pytest.fixture
def new_kernel(bare_machine: Path, server_url: str, token_times: str) -> Iterator[Callable[[], Kernel]]:
    """Starts kernels that know the server; all end with the test."""
    started: list[Kernel] = []

    def start() -> Kernel:
        servers = {"OLLAMA_HOST": server_url, "BENCH_SERVER": server_url, "BENCH_TIMES": token_times}
        started.append(Kernel({**servers, "PYTHONDONTWRITEBYTECODE": ""}))
        return started[-1]

    yield start
    for kernel in started:
        kernel.stop()
