"""The row of a live answer in which a turn asks its user: a line and two buttons, which any click ends."""

from __future__ import annotations

from functools import partial
from html import escape
from typing import TYPE_CHECKING, Any

from ollama_magic.foreign import printable

if TYPE_CHECKING:
    from ollama_magic.conversation.question import Question
    from ollama_magic.display.widget_factory import WidgetFactory


class QuestionRow:
    """Shows one question at a time."""

    def __init__(self, factory: WidgetFactory) -> None:
        self._factory = factory
        self._question: Question | None = None
        self._row: list[Any] = []
        self.box: Any = factory.box([], "ollama-magic-question")

    def show(self, question: Question | None) -> None:
        """Show this question, or none."""
        if question is self._question:
            return
        old, self._question, self._row = self._row, question, []
        if question is not None:
            html = f"<div class=jp-RenderedHTMLCommon><strong>{escape(printable(question.text))}</strong></div>"
            self._row = [
                self._factory.html(html),
                self._button("Run", "Let the model's call run", question, yes=True),
                self._button("Refuse", "Do not run it; the model is sent that you refused", question, yes=False),
            ]
        self._factory.set(self.box, "children", tuple(self._row))
        self._factory.close(*old)

    def _button(self, text: str, tooltip: str, question: Question, *, yes: bool) -> Any:
        button = self._factory.button(text, tooltip, "ollama-magic-stop")
        button.on_click(partial(_answer, question, yes))
        return button


def _answer(question: Question, yes: bool, button: object) -> None:
    del button
    question.answer(yes)
