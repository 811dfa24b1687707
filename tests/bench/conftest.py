"""The table of figures: each benchmark notes what it measured, all are printed at the end, and a bad miss fails."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.browser.conftest import lab, notebook, open_page  # noqa: F401 (fixtures)
from tests.frontends.conftest import browser  # noqa: F401 (a fixture)
from tests.kernel.kernel import ROOT, Kernel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

FORGIVEN = 1.5  # a busy machine may miss a limit by half
GIVEN_UP = 2.5  # and one that contradicts another by this much


class Row(NamedTuple):
    """A figure of the table; without a limit it is only told."""

    figure: str
    measured: float
    unit: str
    limit: float = 0
    instead: str = ""

    @property
    def verdict(self) -> str:
        """The limit, and whether it is missed."""
        if not self.limit:
            return "–"
        if self.measured <= self.limit:
            return f"{self.limit:g}"
        return f"{self.limit:g}, missed" + (f" for {self.instead}" if self.instead else "")


ROWS: list[Row] = []
SPEED = """# Speed

Written by `make bench`, which fails where a figure misses its limit by far. Where two limits contradict each other, the
one that is missed says for what. A figure that depends on the machine is a ratio (×) to something that was measured in
the same run: a loop that only reads the answer, or a widget that shows only its last 80 characters.

Measured with Python {python}, ipykernel {ipykernel} and JupyterLab {jupyterlab} on {cores} cores.

| figure | measured | limit |
| --- | --- | --- |
{rows}
"""


class Figures:
    """Takes down what was measured; `limit` is the most that it should be."""

    def note(self, figure: str, measured: float, limit: float, unit: str = "", *, instead: str = "") -> None:
        """Add a row; fail if the limit is missed badly. `instead` is what was chosen where meeting it is impossible."""
        ROWS.append(Row(figure, measured, unit, limit, instead))
        print(f"\n{figure}: {measured:.2f} {unit} (limit {limit:g})", flush=True)
        most = (GIVEN_UP if instead else FORGIVEN) * limit
        assert measured <= most, f"{figure}: {measured:.2f} {unit}, limit {limit:g}"

    def note_only(self, figure: str, measured: float, unit: str = "") -> None:
        """Add a row without a limit."""
        ROWS.append(Row(figure, measured, unit))


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
    for row in ROWS:
        terminalreporter.line(f"{row.figure:<72} {row.measured:>8.2f} {row.unit:<8} limit {row.verdict}")


def pytest_sessionfinish(exitstatus: int) -> None:
    """Write the file that OLLAMA_MAGIC_SPEED names, after a run to the end."""
    ended = exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
    if ROWS and ended and "OLLAMA_MAGIC_SPEED" in os.environ:
        Path(os.environ["OLLAMA_MAGIC_SPEED"]).write_text(speed_page(), "utf8")


def speed_page() -> str:
    """The figures as a page."""
    rows = [f"| {row.figure} | {row.measured:.3g} {row.unit}".rstrip() + f" | {row.verdict} |" for row in ROWS]
    versions = {name: version(name) for name in ("ipykernel", "jupyterlab")}
    return SPEED.format(python=platform.python_version(), cores=os.cpu_count(), rows="\n".join(rows), **versions)


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
def new_kernel(bare_machine: Path, server_url: str, token_times: str) -> Iterator[Callable[..., Kernel]]:
    """Starts kernels that know the server; all end with the test."""
    started: list[Kernel] = []

    def start(environment: Mapping[str, str] | None = None) -> Kernel:
        servers = {"OLLAMA_HOST": server_url, "BENCH_SERVER": server_url, "BENCH_TIMES": token_times}
        started.append(Kernel({**servers, "PYTHONDONTWRITEBYTECODE": "", **(environment or {})}))
        return started[-1]

    yield start
    for kernel in started:
        kernel.stop()
