"""■ and the Stop button in every phase of a turn, on the ipykernel of today and on ipykernel 6."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from tests.double import Fault
from tests.kernel import old_kernel as ipykernel_6
from tests.kernel.stopping import PHASES, TWICE, stop_once
from tests.kernel.stopping_kernel import BUTTON, INTERRUPT, StoppingKernel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.double import ScriptedServer

pytestmark = pytest.mark.skipif(os.name == "nt", reason="a kernel is interrupted by SIGINT here")
needs_proc = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="half open connections are read in /proc")
NAMES = [pytest.param(name, marks=needs_proc) if name == "connect" else name for name in PHASES]


def started(environ: dict[str, str]) -> Iterator[StoppingKernel]:
    kernel = StoppingKernel(environ)
    assert kernel.run("%load_ext ollama_magic").status == "ok"
    yield kernel
    kernel.stop()


@pytest.fixture(scope="module")
def kernel(bare_machine: Path) -> Iterator[StoppingKernel]:
    """The kernel of this environment."""
    yield from started({})


@pytest.fixture(scope="module")
def old_kernel(bare_machine: Path) -> Iterator[StoppingKernel]:
    """A kernel with ipykernel 6."""
    yield from started(ipykernel_6.old_kernel())


@pytest.mark.parametrize("press", [INTERRUPT, BUTTON])
@pytest.mark.parametrize("name", NAMES)
def test_a_stop(kernel: StoppingKernel, name: str, press: str) -> None:
    """A stop is heard, hangs up, keeps the text, says one line, aborts the queue, and the next turn works."""
    assert stop_once(kernel, PHASES[name], press).problems == []


@pytest.mark.parametrize("name", TWICE)
def test_a_second_stop(kernel: StoppingKernel, name: str) -> None:
    """A second ■ while a stopped or a complete turn is being settled loses nothing of it."""
    assert stop_once(kernel, TWICE[name], INTERRUPT, again=True).problems == []


@pytest.mark.parametrize("name", NAMES)
def test_a_stop_on_ipykernel_6(old_kernel: StoppingKernel, name: str) -> None:
    """Without subshells ■ does all the same."""
    assert stop_once(old_kernel, PHASES[name], INTERRUPT).problems == []


def test_the_button_on_ipykernel_6(old_kernel: StoppingKernel, demo_server: Callable[..., ScriptedServer]) -> None:
    """A button that nobody would hear is not shown; that of a background answer is, and stops it."""
    server = demo_server(pace=0, faults=[Fault("silence", after=12)])
    background = old_kernel.start(f"%%chat -b --host {server.url}\nGo on.", "y")
    old_kernel.wait(background)
    old_kernel.wait_until(lambda: server.requests[-1:] and server.requests[-1].path == "/api/chat")
    old_kernel.click(old_kernel.button(background))
    old_kernel.wait_until(
        lambda: any(one["data"].get("text/plain", "").endswith("[stopped]") for one in old_kernel.updates())
    )
    assert server.requests[-1].wait()
    blocking = old_kernel.start(f"%%chat --host {server.url}\nHello?", "z")
    assert old_kernel.wait(blocking).status == "ok"
    assert old_kernel.button(blocking) == ""
