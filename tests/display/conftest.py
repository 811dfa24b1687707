"""A shell without a kernel, made anew for each test, and what widgets send, without a page that hears it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import comm
import pytest
from comm.base_comm import BaseComm

import ollama_magic.magics.cell_events
import ollama_magic.magics.command_line  # noqa: F401 (both keep IPython's display; later they would keep a test's)
from tests.shells import fresh_shell

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from IPython.core.interactiveshell import InteractiveShell


@pytest.fixture
def shell(tmp_path, monkeypatch) -> Iterator[InteractiveShell]:
    """The shell of this process."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    with fresh_shell() as found:
        yield found


@pytest.fixture
def sent(monkeypatch) -> list[tuple[str, dict[str, Any]]]:
    """Every message that widgets send: its type and its data."""
    messages = []

    class Recorded(BaseComm):
        def publish_msg(self, msg_type, data=None, **_):
            messages.append((msg_type, data or {}))

    monkeypatch.setattr(comm, "create_comm", Recorded)
    return messages


@pytest.fixture
def outputs(monkeypatch) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    """What was displayed and updated, by display id, newest last."""
    shown = []

    def publish(bundle, *, raw, display_id, metadata=None):
        assert raw
        shown.append((display_id, dict(bundle), metadata or {}))

    monkeypatch.setattr("IPython.display.display", publish)
    monkeypatch.setattr("IPython.display.update_display", publish)
    return shown
