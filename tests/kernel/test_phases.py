"""■ and the Stop button in every phase of a turn, on the ipykernel of today and on ipykernel 6."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from tests.kernel.old_kernel import old_python
from tests.kernel.stopping import BUTTON, INTERRUPT, PHASES, StoppingKernel, stop_once

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [
    pytest.mark.xdist_group("kernel"),
    pytest.mark.skipif(os.name == "nt", reason="a kernel is interrupted by SIGINT here"),
]
needs_proc = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="half open connections are read in /proc")
NAMES = [pytest.param(name, marks=needs_proc) if name == "connect" else name for name in PHASES]


def started(python: str) -> Iterator[StoppingKernel]:
    kernel = StoppingKernel({}, python=python)
    assert kernel.run("%load_ext ollama_magic").status == "ok"
    yield kernel
    kernel.stop()


@pytest.fixture(scope="module")
def kernel(bare_machine: Path) -> Iterator[StoppingKernel]:
    """The kernel of this environment."""
    yield from started(sys.executable)


@pytest.fixture(scope="module")
def old_kernel(bare_machine: Path) -> Iterator[StoppingKernel]:
    """A kernel with ipykernel 6."""
    yield from started(old_python())


@pytest.mark.parametrize("press", [INTERRUPT, BUTTON])
@pytest.mark.parametrize("name", NAMES)
def test_a_stop(kernel: StoppingKernel, name: str, press: str) -> None:
    """A stop is heard, hangs up, keeps the text, says one line, aborts the queue, and the next turn works."""
    assert stop_once(kernel, PHASES[name], press).problems == []


@pytest.mark.parametrize("name", NAMES)
def test_a_second_stop(kernel: StoppingKernel, name: str) -> None:
    """A second ■ right behind the first loses nothing."""
    assert stop_once(kernel, PHASES[name], INTERRUPT, again=True).problems == []


@pytest.mark.parametrize("name", NAMES)
def test_a_stop_on_ipykernel_6(old_kernel: StoppingKernel, name: str) -> None:
    """Without subshells ■ does all the same."""
    assert stop_once(old_kernel, PHASES[name], INTERRUPT).problems == []


def test_no_button_on_ipykernel_6(old_kernel: StoppingKernel) -> None:
    """A button that nobody would hear is not shown."""
    ask = old_kernel.start("%%chat\nHello?", "z")
    old_kernel.wait(ask)
    assert old_kernel.button(ask) == ""
