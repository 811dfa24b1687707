"""The status line of a live answer: model, clock, speed, and the Stop button."""

from __future__ import annotations

import time
from html import escape
from typing import TYPE_CHECKING, Any

from ollama_magic.foreign import one_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from ollama_magic.conversation.reply import Reply
    from ollama_magic.display.widget_factory import WidgetFactory

CLOCK_FROM_S = 2.0  # design.md §3: a server that loads a model is silent


def status_text(reply: Reply, now: float) -> str:
    """Return `gemma3:1b · 12 s · 34 tokens/s`, or what the turn waits for."""
    elapsed = now - reply.status.started_at
    clock = f"{int(elapsed)} s" if elapsed >= CLOCK_FROM_S else ""
    if reply.status.waiting:
        doing = one_line(reply.status.waiting) + (f" · {clock}" if clock else "")
    elif reply.status.first_at is None:
        doing = f"loading or thinking about it… {clock}" if clock else "…"
    else:
        doing = " · ".join(filter(None, (_phase(reply), clock, _speed(reply, now))))
    return " · ".join(filter(None, (one_line(reply.model), doing)))


def _phase(reply: Reply) -> str:
    return "" if reply.text_parts else "thinking"


def _speed(reply: Reply, now: float) -> str:
    since = now - (reply.status.first_at or now)
    return f"{reply.status.chunks / since:.0f} tokens/s" if since >= 1 and reply.status.chunks > 1 else ""


class StatusLine:
    """The row below a live answer, which is sent at most once a second; its button never changes."""

    def __init__(self, factory: WidgetFactory, reply: Reply, stop: Callable[[], None] | None) -> None:
        self._factory = factory
        now = time.monotonic()
        self._shown = _seen(reply, now)
        self._line = factory.html(_line(reply, now))
        row = [self._line]
        if stop is not None:
            row.append(self._button(stop))
        self.box: Any = factory.box(row, "ollama-magic-status")
        self._row = row

    def show(self, reply: Reply) -> None:
        """Show the progress of the answer."""
        now = time.monotonic()
        if (seen := _seen(reply, now)) != self._shown:
            self._shown = seen
            self._factory.set(self._line, "value", _line(reply, now))

    def say(self, html: str) -> None:
        """Show this HTML in the row."""
        self._factory.set(self._line, "value", html)

    def settle(self, html: str) -> None:
        """Replace the row by the lines of a settled answer, and remove the button."""
        self.say(html)
        with self.box.hold_sync():
            self._factory.set(self.box, "children", (self._line,))
            self._factory.set(self.box, "_dom_classes", ())
        self._factory.close(*self._row[1:])

    def _button(self, stop: Callable[[], None]) -> Any:
        button = self._factory.button("Stop", "Stop this answer; the text so far is kept", "ollama-magic-stop")
        button.on_click(lambda _: stop())
        return button


def _seen(reply: Reply, now: float) -> tuple[object, ...]:
    """Return everything that the line depends on, with the clock in seconds."""
    return (
        int(now - reply.status.started_at),
        reply.status.waiting,
        reply.status.first_at,
        reply.model,
        bool(reply.text_parts),
    )


def _line(reply: Reply, now: float) -> str:
    return f"<div class=jp-RenderedHTMLCommon><small>{escape(status_text(reply, now))}</small></div>"
