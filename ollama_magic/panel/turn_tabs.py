"""The answers of several models to one turn in a panel: a button for each, and one that keeps the shown answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ollama_magic.conversation.reply import Reply
from ollama_magic.display.settled import settled_html
from ollama_magic.foreign import one_line
from ollama_magic.turns.column_text import column_titles
from ollama_magic.turns.turn_value import RUNNING

if TYPE_CHECKING:
    from collections.abc import Callable

    from ollama_magic.display.widget_factory import WidgetFactory
    from ollama_magic.turns.turn_value import Turn

NAME = 60  # most characters of a model on its button


class TurnTabs:
    """Which of a turn's answers is shown: the remembered one, or another.

    Args:
        factory: Makes the widgets.
        turn: The turn, with its alternatives.
        changed: Is called when another answer is to be shown.
        keep: Is called with the answer that is to be remembered.
    """

    def __init__(
        self, factory: WidgetFactory, turn: Turn, changed: Callable[[], None], keep: Callable[[Turn], None]
    ) -> None:
        self._factory, self._turn, self._changed = factory, turn, changed
        self._place = turn.columns.index(turn)
        hosts = [column.settings.host for column in turn.columns]
        names = column_titles([column.model for column in turn.columns], hosts)
        self._buttons = [self._button(place, one_line(name, NAME)) for place, name in enumerate(names)]
        self._keep = factory.button("Keep", "Remember this answer: later turns are sent after it", "ollama-magic-do")
        self._keep.on_click(lambda _: keep(self.shown))
        self._other = factory.html()
        self.box: Any = factory.box([], "ollama-magic-tabs")
        self._paint()

    @staticmethod
    def fit(turn: Turn) -> bool:
        """Whether a turn has answers of other models, and all of them have ended."""
        return bool(turn.alternatives) and all(one.state != RUNNING for one in turn.columns)

    @property
    def shown(self) -> Turn:
        """The turn whose answer is shown."""
        return self._turn.columns[self._place]

    def answer(self, remembered: Any) -> Any:
        """Return the widget of the shown answer; `remembered` is that of the turn itself."""
        return remembered if self.shown is self._turn else self._other

    def update(self, turn: Turn) -> None:
        """Take the turn's newest value."""
        if len(turn.columns) == len(self._buttons):
            self._turn = turn

    def _button(self, place: int, name: str) -> Any:
        button = self._factory.button(name, f"Show the answer of {name}", "ollama-magic-do")
        button.on_click(lambda _: self._show(place))
        return button

    def _show(self, place: int) -> None:
        self._place = place
        self._paint()
        self._changed()

    def _paint(self) -> None:
        other = self.shown is not self._turn
        if other:
            html = settled_html(Reply.of(self.shown), "none")
            self._factory.set(self._other, "value", f'<div class="jp-RenderedHTMLCommon">{html}</div>')
        for place, button in enumerate(self._buttons):
            classes = ("ollama-magic-do", "ollama-magic-tab", *["mod-active"] * (place == self._place))
            self._factory.set(button, "_dom_classes", classes)
        self._factory.set(self.box, "children", (*self._buttons, *[self._keep] * other))
