"""A kernel for each test that wants one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.kernel.kernel import Kernel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ollama_magic.demo.server import DemoServer


@pytest.fixture
def kernel(bare_machine: Path) -> Iterator[Callable[[DemoServer], Kernel]]:
    """Starts a kernel whose OLLAMA_HOST is the given server, with the extension loaded."""
    started: list[Kernel] = []

    def start(server: DemoServer, *, load: bool = True) -> Kernel:
        started.append(Kernel({"OLLAMA_HOST": server.url}))
        if load:
            assert started[-1].run("%load_ext ollama_magic", "load").status == "ok"
        return started[-1]

    yield start
    for kernel in started:
        kernel.stop()
