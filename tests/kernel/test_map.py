"""A map in a real kernel: what the page gets while it runs, what stays, and ■."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.kernel.kernel import Kernel
from tests.mapping.quick_server import QuickServer

if TYPE_CHECKING:
    from collections.abc import Iterator

BEGIN = "%load_ext ollama_magic\nimport ollama_magic\n%config OllamaMagic.store = False\nrows = list(range(300))"


@pytest.fixture(scope="module")
def server() -> Iterator[QuickServer]:
    """It takes eight rows at once, each for a twentieth of a second."""
    with QuickServer(latency=0.05, places=8) as server:
        yield server


@pytest.fixture(scope="module")
def kernel(server: QuickServer) -> Iterator[Kernel]:
    """A kernel with the extension and three hundred rows."""
    kernel = Kernel({"OLLAMA_HOST": server.url})
    kernel.run(BEGIN, "load")
    yield kernel
    kernel.stop()


def test_the_page_gets_few_messages_and_keeps_a_summary(kernel: Kernel) -> None:
    """Three hundred rows are at most ten messages a second, and at the end plain HTML without a widget."""
    began = time.monotonic()
    ask = kernel.start("%%map rows --into labelled\nSay {{n}}", "c1")
    cell = kernel.wait(ask)
    seconds = time.monotonic() - began
    assert cell.traceback == []
    traits = [one for one in kernel.messages[ask] if one["msg_type"] in ("comm_msg", "update_display_data")]
    assert len(traits) <= 10 * seconds + 5
    (plain,) = cell.plain
    assert plain.startswith("n from the rows\nrows: 300 answers.\n")
    assert kernel.run("print(len(labelled), labelled.answer[299])", "c2").printed == "300 Say 299\n"


def test_an_interrupt_gives_the_prompt_back_within_a_second(kernel: Kernel, server: QuickServer) -> None:
    """■ ends the cell with one line and leaves the server idle; the function's rows go on in the background."""
    before = server.total
    ask = kernel.start("%%map rows --no-cache --out results\nShout {{n}}", "c3")
    kernel.wait_until(lambda: server.total > before + 10 or kernel.listen())
    began = time.monotonic()
    kernel.interrupt()
    cell = kernel.wait(ask)
    assert time.monotonic() - began < 2
    (line,) = cell.traceback
    assert line.startswith("Stopped; ")
    assert "of 300 done" in line
    kernel.wait_until(lambda: server.now == 0)
    began = time.monotonic()
    cell = kernel.run("more = ollama_magic.map('Whisper {{n}}', rows[:40])", "c4")
    assert cell.traceback == []
    assert kernel.run("print(len(more.frame()), more.errors)", "c5").printed == "40 []\n"
