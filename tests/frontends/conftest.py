"""Kernels, browsers and notebooks for front ends other than JupyterLab."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import started_chromium
from tests.frontends.notebook7 import Notebook7
from tests.kernel.conftest import kernel, spare_kernels  # noqa: F401 (fixtures are known by their names here)
from tests.kernel.kernel import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser

    from tests.double import ScriptedServer


@pytest.fixture(scope="module")
def browser(bare_machine: object) -> Iterator[Browser]:
    """A Chromium that ends with its file: nbclient, in the next one, has no room beside Playwright's event loop."""
    with started_chromium() as chromium:
        yield chromium


@pytest.fixture(scope="session")
def notebook7(tmp_path_factory: pytest.TempPathFactory, bare_machine: object) -> Iterator[Notebook7]:
    """A Notebook 7 in folders of its own."""
    server = Notebook7(tmp_path_factory.mktemp("notebook7"))
    yield server
    server.stop()


@pytest.fixture
def answering(
    demo_server: Callable[..., ScriptedServer], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., ScriptedServer]:
    """Starts a demo server that every process of the test talks to; they find the package as the test does."""
    path = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path))

    def start(**options: object) -> ScriptedServer:
        server = demo_server(**{"pace": 0, **options})
        monkeypatch.setenv("OLLAMA_HOST", server.url)
        return server

    return start
