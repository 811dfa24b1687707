"""The status line above a panel's input: the result of the last action, or what the panel waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ollama_magic.display.tables import marked
from ollama_magic.foreign import one_line

if TYPE_CHECKING:
    from ollama_magic.display.widget_factory import WidgetFactory

WAITS = "Waiting for the cell that is running: what you send is answered after it."


class Notice:
    """A status line that screen readers announce when it changes."""

    def __init__(self, factory: WidgetFactory) -> None:
        self._factory = factory
        self._text, self._wrong, self._waits = "", False, False
        self.widget: Any = factory.html(_html("", wrong=False))

    @property
    def text(self) -> str:
        """The current text."""
        return WAITS if self._waits else self._text

    def say(self, text: str, *, wrong: bool = False) -> None:
        """Show a text, which may be empty."""
        self._text, self._wrong = one_line(text, 1000), wrong
        self._show()

    def wait(self) -> None:
        """Show that a running cell blocks the panel."""
        self._waits = True
        self._show()

    def end_wait(self) -> None:
        """Show the previous text."""
        if self._waits:
            self._waits = False
            self._show()

    def _show(self) -> None:
        self._factory.set(self.widget, "value", _html(self.text, wrong=self._wrong and not self._waits))


def _html(text: str, *, wrong: bool) -> str:
    look = " ollama-magic-wrong" if wrong else ""
    return (
        f'<div class="ollama-magic-notice{look}" role="status" aria-live="polite"><small>{marked(text)}</small></div>'
    )
