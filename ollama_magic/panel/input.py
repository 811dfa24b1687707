"""The input of a panel: a text box that only the user writes to, and its Send button."""

from __future__ import annotations

import json
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ollama_magic.display.widget_factory import WidgetFactory

SEND = "Send (Enter); Shift+Enter begins a new line"


class PromptInput:
    """A draft, and an outbox beside it with everything that is sent: marks and texts in one value.

    The front end rewrites a draft when any of its traits changes, which would lose what is typed meanwhile, so the
    kernel changes none. While one change is pending, the front end sends only the last of later ones, so the outbox
    contains everything that the kernel has not confirmed. Without the script, the button sends the draft, which the
    front end has synchronised when it lost the focus.
    """

    def __init__(
        self,
        factory: WidgetFactory,
        send: Callable[[str], None],
        text: str = "",
        cancel: Callable[[], None] | None = None,
        beside: Sequence[Any] = (),
    ) -> None:
        self._send = send
        self._draft = factory.text_area(text, "Ask the model", "Your message", "ollama-magic-draft")
        self._outbox = factory.text_area("", "", "", "ollama-magic-outbox")
        self._outbox.observe(self._sent, "value")
        self._factory, self._seen = factory, set[str]()
        self._received = factory.html(_received(""))
        button = factory.button("Send", SEND, "ollama-magic-send")
        button.on_click(lambda _: self._clicked())
        row = [self._draft, self._outbox, self._received, *beside, button]
        if cancel is not None:
            row.append(discard := factory.button("Cancel", "Discard the changes (Esc)", "ollama-magic-cancel"))
            discard.on_click(lambda _: cancel())
        self.widgets = row
        self.box: Any = factory.box(row, "ollama-magic-input")

    def _sent(self, change: dict[str, Any]) -> None:
        new = [(mark, text) for mark, text in _messages(change["new"]) if mark not in self._seen]
        for mark, text in new:
            self._seen.add(mark)
            if text.strip():
                self._send(text)
        if new and self._received.comm is not None:
            self._factory.set(self._received, "value", _received(new[-1][0]))

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


def _received(mark: str) -> str:
    """Return the newest mark that was received, for the script."""
    return f'<i class="ollama-magic-got" title="{escape(mark)}" hidden></i>'
