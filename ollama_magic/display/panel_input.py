"""Where a prompt is written: a box that nothing but its reader's own keys ever writes to, and its Send button."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ollama_magic.display.panel_snippet import SENT

if TYPE_CHECKING:
    from collections.abc import Callable

    from ollama_magic.display.kit import WidgetKit

SEND = "Send (Enter); Shift+Enter begins a new line"


class PromptInput:
    """A draft, and an outbox beside it that carries what is sent: a message and its mark in one value.

    The front end writes a draft's whole value anew when any trait of it changes, and what is typed meanwhile would be
    lost; so the kernel changes none. Without the snippet the button takes the draft, which was told on leaving it.
    """

    def __init__(
        self, kit: WidgetKit, send: Callable[[str], None], text: str = "", cancel: Callable[[], None] | None = None
    ) -> None:
        self._send = send
        self._draft = kit.text_area(text, "Ask the model", "Your message", "ollama-magic-draft")
        self._outbox = kit.text_area("", "", "", "ollama-magic-outbox")
        self._outbox.observe(self._sent, "value")
        button = kit.button("Send", SEND, "ollama-magic-send")
        button.on_click(lambda _: self._clicked())
        row = [self._draft, self._outbox, button]
        if cancel is not None:
            row.append(no := kit.button("Cancel", "Leave it as it was (Esc)", "ollama-magic-cancel"))
            no.on_click(lambda _: cancel())
        self.widgets = row
        self.box: Any = kit.box(row, "ollama-magic-input")

    def _sent(self, change: dict[str, Any]) -> None:
        _, found, text = change["new"].partition(SENT)
        if found and text.strip():
            self._send(text)

    def _clicked(self) -> None:
        text = self._draft.value
        if text.strip():
            self._draft.value = ""
            self._send(text)
