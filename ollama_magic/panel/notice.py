"""One quiet line above a panel's input: what came of the last act, or what the panel waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ollama_magic.display.tables import marked
from ollama_magic.foreign import one_line

if TYPE_CHECKING:
    from ollama_magic.display.kit import WidgetKit

WAITS = "Waiting for the cell that is running: what you send is answered after it."


class Notice:
    """A status line that is read out when it changes."""

    def __init__(self, kit: WidgetKit) -> None:
        self._kit = kit
        self._text, self._wrong, self._waits = "", False, False
        self.widget: Any = kit.html(_html("", wrong=False))

    @property
    def text(self) -> str:
        """What it says."""
        return WAITS if self._waits else self._text

    def say(self, text: str, *, wrong: bool = False) -> None:
        """Say this, or nothing."""
        self._text, self._wrong = one_line(text, 1000), wrong
        self._show()

    def wait(self) -> None:
        """Say that a cell is in the way."""
        self._waits = True
        self._show()

    def wait_no_more(self) -> None:
        """Say again what was said before."""
        if self._waits:
            self._waits = False
            self._show()

    def _show(self) -> None:
        html = _html(self.text, wrong=self._wrong and not self._waits)
        if self.widget.value != html:
            self._kit.set(self.widget, "value", html)


def _html(text: str, *, wrong: bool) -> str:
    look = " ollama-magic-wrong" if wrong else ""
    return (
        f'<div class="ollama-magic-notice{look}" role="status" aria-live="polite"><small>{marked(text)}</small></div>'
    )
