"""Chooses the view of an answer: widgets, updated HTML or text."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from ollama_magic.display.host import in_terminal, request_of
from ollama_magic.display.safe_view import SafeReplyView, SafeView
from ollama_magic.display.slot import Slot
from ollama_magic.display.terminal import TerminalView

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ollama_magic.conversation.interfaces import View
    from ollama_magic.display.map_progress import MapProgress
    from ollama_magic.display.safe_view import ViewOf
    from ollama_magic.display.transfer import Transfer
    from ollama_magic.display.transfer_status import ProgressTexts


def mode_for(setting: str, shell: Any) -> str:
    """Resolve `OllamaMagic.display`: "widget", "html" or "text" (design.md §3, «Elsewhere»).

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
    """Return a view for a resolved mode; `labels` are the metadata of its outputs, without model and state."""
    if mode == "text":
        return SafeReplyView(TerminalView(background=background))
    from ollama_magic.display.updating import UpdatingView

    slot = Slot(labels)
    if mode == "html":
        return SafeReplyView(UpdatingView(slot, footer, background=background))
    from ollama_magic.display.live import LiveView

    spare = UpdatingView(slot, footer, background=background)
    return SafeReplyView(LiveView(slot, footer, background=background), spare)


def open_columns(
    mode: str,
    labels: Mapping[str, object],
    count: int,
    before: Sequence[str],
    footer: str = "brief",
    *,
    background: bool = False,
) -> tuple[list[View], Callable[[], None]]:
    """Return the views of so many answers side by side in one output, and what shows their end once more.

    `before` are the lines above all of them.
    """
    if mode == "text":
        from ollama_magic.display.terminal_columns import TerminalColumn, TerminalColumns

        printed = TerminalColumns(before)
        return [
            SafeReplyView(TerminalColumn(printed, place, background=background)) for place in range(count)
        ], _nothing
    from ollama_magic.display.columns import ColumnsOutput, LiveColumn, LiveColumns, UpdatingColumn

    output = ColumnsOutput(labels, count, before, footer, background=background)
    spare = [UpdatingColumn(output, place) for place in range(count)]
    if mode == "html":
        return [SafeReplyView(view) for view in spare], output.refresh
    live = LiveColumns(output)
    return [SafeReplyView(LiveColumn(live, place), view) for place, view in enumerate(spare)], output.refresh


def _nothing() -> None:
    """Do nothing: printed text stays."""


def open_transfer_view(mode: str) -> ViewOf[Transfer]:
    """Return a view of a pull or create for a resolved mode."""
    from ollama_magic.display.transfer_views import TRANSFER, TextTransferView

    return SafeView(TextTransferView()) if mode == "text" else _progress_view(mode, TRANSFER)


def open_map_view(mode: str) -> ViewOf[MapProgress]:
    """Return a view of a map for a resolved mode."""
    from ollama_magic.display.map_status import MAP
    from ollama_magic.display.map_text import TextMapView

    return SafeView(TextMapView()) if mode == "text" else _progress_view(mode, MAP)


def _progress_view(mode: str, texts: ProgressTexts[Any]) -> ViewOf[Any]:
    from ollama_magic.display.transfer_views import HtmlProgressView

    spare = HtmlProgressView(texts)
    if mode == "html":
        return SafeView(spare)
    from ollama_magic.display.transfer_widgets import WidgetProgressView

    return SafeView(WidgetProgressView(spare), spare)
