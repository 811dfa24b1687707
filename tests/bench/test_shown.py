"""Any 100 kB, however it is made, on the screen of a real JupyterLab."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.blocks import BLOCKS, all_shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.bench.conftest import Figures
    from tests.browser.lab import NotebookPage
    from tests.double import ScriptedServer


@pytest.mark.timeout(240)
def test_shown(
    demo_server: Callable[..., ScriptedServer], notebook: Callable[..., NotebookPage], figures: Figures
) -> None:
    """The end of every block can be read within a second after it was sent."""
    shown = list(all_shown(demo_server, notebook, BLOCKS))
    assert len(shown) == len(BLOCKS)
    slowest = max(shown, key=lambda one: one.live)
    figures.note(f"100 kB on screen, the slowest of {len(shown)} ({slowest.name})", slowest.live, 1, "s")
    figures.note_only("100 kB settled, the slowest", max(one.settled for one in shown), "s")
