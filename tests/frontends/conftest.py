"""Kernels, browsers and notebooks for front ends other than JupyterLab."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import browser  # noqa: F401 (a fixture is known by its name here)
from tests.kernel.conftest import kernel  # noqa: F401
from tests.kernel.kernel import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

    from ollama_magic.demo.server import DemoServer


@pytest.fixture
def answering(demo_server: Callable[..., DemoServer], monkeypatch: pytest.MonkeyPatch) -> Callable[..., DemoServer]:
    """Starts a demo server that every process of the test talks to; they find the package as the test does."""
    path = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path))

    def start(**options: object) -> DemoServer:
        server = demo_server(**{"pace": 0, **options})
        monkeypatch.setenv("OLLAMA_HOST", server.url)
        return server

    return start
