"""The status line of a live answer: model, clock, speed, and the Stop button."""

from __future__ import annotations

import time
from html import escape
from typing import TYPE_CHECKING, Any

from ollama_magic.foreign import one_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from ollama_magic.conversation.reply import Reply
    from ollama_magic.display.kit import WidgetKit

CLOCK_FROM_S = 2.0  # design §3: a server that loads a model is silent


def status_text(reply: Reply, now: float) -> str:
    """`gemma3:1b · 12 s · 34 tokens/s`, or what is being waited for."""
    elapsed = now - reply.started_at
    clock = f"{int(elapsed)} s" if elapsed >= CLOCK_FROM_S else ""
    if reply.waiting:
        doing = one_line(reply.waiting) + (f" · {clock}" if clock else "")
    elif reply.first_at is None:
        doing = f"loading or thinking about it… {clock}" if clock else "…"
    else:
        doing = " · ".join(filter(None, (_phase(reply), clock, _speed(reply, now))))
    return " · ".join(filter(None, (one_line(reply.model), doing)))


def _phase(reply: Reply) -> str:
    return "" if reply.text_parts else "thinking"


def _speed(reply: Reply, now: float) -> str:
    since = now - (reply.first_at or now)
    return f"{reply.chunks / since:.0f} tokens/s" if since >= 1 and reply.chunks > 1 else ""


class StatusLine:
    """The row under a live answer; it sends at most once a second, and its button never after it was made."""

    def __init__(self, kit: WidgetKit, reply: Reply, stop: Callable[[], None] | None) -> None:
        self._kit = kit
        now = time.monotonic()
        self._told = _seen(reply, now)
        self._line = kit.html(_line(reply, now))
        row = [self._line]
        if stop is not None:
            row.append(self._button(stop))
        self.box: Any = kit.box(row, "ollama-magic-status")
        self._row = row

    def show(self, reply: Reply) -> None:
        """Say how the answer is getting on."""
        now = time.monotonic()
        if (seen := _seen(reply, now)) != self._told:
            self._told = seen
            self._kit.set(self._line, "value", _line(reply, now))

    def say(self, html: str) -> None:
        """Put this into the row."""
        self._kit.set(self._line, "value", html)

    def settle(self, html: str) -> None:
        """Give the row to what stands under a settled answer; the button goes."""
        self.say(html)
        with self.box.hold_sync():
            self._kit.set(self.box, "children", (self._line,))
            self._kit.set(self.box, "_dom_classes", ())
        self._kit.close(*self._row[1:])

    def _button(self, stop: Callable[[], None]) -> Any:
        button = self._kit.button("Stop", "Stop this answer; what has come is kept", "ollama-magic-stop")
        button.on_click(lambda _: stop())
        return button


def _seen(reply: Reply, now: float) -> tuple[object, ...]:
    """What the line depends on, the clock by its seconds."""
    return int(now - reply.started_at), reply.waiting, reply.first_at, reply.model, bool(reply.text_parts)


def _line(reply: Reply, now: float) -> str:
    return f"<div class=jp-RenderedHTMLCommon><small>{escape(status_text(reply, now))}</small></div>"
