"""Which view shows an answer: widgets, updated HTML or text. The views themselves stand in their own rooms."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from ollama_magic.display.guarded import GuardedView
from ollama_magic.display.host import in_terminal, request_of
from ollama_magic.display.slot import Slot
from ollama_magic.display.terminal import TerminalView

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ollama_magic.conversation.seams import View


def mode_for(setting: str, shell: Any) -> str:
    """Resolve `OllamaMagic.display`: "widget", "html" or "text" (design §3, «Elsewhere»).

    In a terminal it is always text: an ipython_config.py is shared with notebooks.
    """
    if in_terminal(shell):
        return "text"
    if setting != "auto":
        return setting
    if getattr(shell, "kernel", None) is None:
        return "text"
    return "widget" if request_of(shell).cell or "google.colab" in sys.modules else "html"


def open_view(mode: str, labels: Mapping[str, object], footer: str = "brief", *, background: bool = False) -> View:
    """Return a view for a resolved mode; `labels` are what its outputs say of themselves, model and state apart."""
    if mode == "text":
        return GuardedView(TerminalView(background=background))
    from ollama_magic.display.updating import UpdatingView

    slot = Slot(labels)
    if mode == "html":
        return GuardedView(UpdatingView(slot, footer, background=background))
    from ollama_magic.display.live import LiveView

    spare = UpdatingView(slot, footer, background=background)
    return GuardedView(LiveView(slot, footer, background=background), spare)
