"""Where a prompt is written: a box that nothing but its reader's own keys ever writes to, and its Send button."""

from __future__ import annotations

import json
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from ollama_magic.display.kit import WidgetKit

SEND = "Send (Enter); Shift+Enter begins a new line"


class PromptInput:
    """A draft, and an outbox beside it that carries what is sent: marks and texts in one value.

    The front end writes a draft's whole value anew when any trait of it changes, and what is typed meanwhile would be
    lost; so the kernel changes none. While one change is on its way the front end sends of later ones the last alone;
    so the outbox holds all that the kernel has not confirmed. Without the snippet the button takes the draft, which was
    told on leaving it.
    """

    def __init__(
        self, kit: WidgetKit, send: Callable[[str], None], text: str = "", cancel: Callable[[], None] | None = None
    ) -> None:
        self._send = send
        self._draft = kit.text_area(text, "Ask the model", "Your message", "ollama-magic-draft")
        self._outbox = kit.text_area("", "", "", "ollama-magic-outbox")
        self._outbox.observe(self._sent, "value")
        self._kit, self._seen = kit, set[str]()
        self._got = kit.html(_got(""))
        button = kit.button("Send", SEND, "ollama-magic-send")
        button.on_click(lambda _: self._clicked())
        row = [self._draft, self._outbox, self._got, button]
        if cancel is not None:
            row.append(no := kit.button("Cancel", "Leave it as it was (Esc)", "ollama-magic-cancel"))
            no.on_click(lambda _: cancel())
        self.widgets = row
        self.box: Any = kit.box(row, "ollama-magic-input")

    def _sent(self, change: dict[str, Any]) -> None:
        new = [(mark, text) for mark, text in _messages(change["new"]) if mark not in self._seen]
        for mark, text in new:
            self._seen.add(mark)
            if text.strip():
                self._send(text)
        if new and self._got.comm is not None:
            self._kit.set(self._got, "value", _got(new[-1][0]))

    def _clicked(self) -> None:
        text = self._draft.value
        if text.strip():
            self._draft.value = ""
            self._send(text)


def _messages(value: str) -> list[tuple[str, str]]:
    try:
        return [(str(mark), str(text)) for mark, text in json.loads(value)]
    except (ValueError, TypeError):
        return []


def _got(mark: str) -> str:
    """The newest mark that has come, for the snippet to read."""
    return f'<i class="ollama-magic-got" title="{escape(mark)}" hidden></i>'
