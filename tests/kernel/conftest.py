"""A kernel for each test that wants one; it may have served others of its file, and knows nothing of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.kernel.kernel import Kernel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.double import ScriptedServer


@pytest.fixture(scope="module")
def spare_kernels(bare_machine: Path) -> Iterator[list[Kernel]]:
    """Kernels that a test of the file has left: to start one and to import what a turn needs takes seconds."""
    kernels: list[Kernel] = []
    yield kernels
    for kernel in kernels:
        kernel.stop()


@pytest.fixture
def kernel(spare_kernels: list[Kernel]) -> Iterator[Callable[[ScriptedServer], Kernel]]:
    """Starts a kernel whose OLLAMA_HOST is the given server, with the extension loaded."""
    started: list[Kernel] = []

    def start(server: ScriptedServer, *, load: bool = True) -> Kernel:
        spare = spare_kernels and load
        started.append(spare_kernels.pop() if spare else Kernel({"OLLAMA_HOST": server.url}))
        started[-1].run(f"import os; os.environ['OLLAMA_HOST'] = {server.url!r}; del os")
        if load:
            assert started[-1].run("%load_ext ollama_magic", "load").status == "ok"
        return started[-1]

    yield start
    for kernel in started:
        if kernel.cleared():
            spare_kernels.append(kernel)
        else:
            kernel.stop()
