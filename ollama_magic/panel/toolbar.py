"""The toolbar of a panel: conversation, model, use of the context window, and buttons."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from ollama_magic.foreign import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ollama_magic.display.widget_factory import WidgetFactory

AUTOMATIC = "automatic model"


class Menu:
    """A menu that reports the user's choices, but not its own changes."""

    def __init__(self, factory: WidgetFactory, tooltip: str, choose: Callable[[str], None]) -> None:
        self._factory = factory
        self._choose = choose
        self._setting = False
        self.widget: Any = factory.menu([("…", "")], "", tooltip, "ollama-magic-menu")
        self.widget.observe(self._chosen, "value")

    def show(self, options: Sequence[tuple[str, str]], value: str) -> None:
        """Set the labels and values, and select one."""
        wanted = tuple(options)
        if (self.widget.options, self.widget.value) == (wanted, value):
            return
        self._setting = True
        try:
            self._factory.set(self.widget, "options", wanted)
            self._factory.set(self.widget, "value", value)
        finally:
            self._setting = False

    def _chosen(self, change: dict[str, Any]) -> None:
        if not self._setting and change["new"] is not None:
            self._choose(change["new"])


class Toolbar:
    """Menus, meter and buttons; `acts` are the labels, tooltips and actions of the buttons."""

    def __init__(
        self,
        factory: WidgetFactory,
        switch: Callable[[str], None],
        choose_model: Callable[[str], None],
        acts: Sequence[tuple[str, str, Callable[[], None]]],
    ) -> None:
        self._factory = factory
        self._conversations = Menu(factory, "Conversation", switch)
        self._models = Menu(factory, "Model", choose_model)
        self._meter = factory.html()
        buttons = [self._button(*act) for act in acts]
        row = [self._conversations.widget, self._models.widget, self._meter, *buttons]
        self.box: Any = factory.box(row, "ollama-magic-bar")

    def conversations(self, names: Sequence[str], current: str) -> None:
        """Show the conversations."""
        self._conversations.show([(one_line(name, 40), name) for name in names], current)

    def models(self, names: Sequence[str], chosen: str, answers: str) -> None:
        """Show the models, with the chosen one, or the automatic choice and its model."""
        every = list(dict.fromkeys([*names, *filter(None, [chosen])]))
        automatic = f"{one_line(answers, 60)} (automatic)" if answers else AUTOMATIC
        self._models.show([(automatic, ""), *((one_line(name, 60), name) for name in every)], chosen)

    def meter(self, used: int, window: int | None) -> None:
        """Show how much of the context window the conversation uses, as far as known."""
        self._factory.set(self._meter, "value", _meter(used, window))

    def _button(self, text: str, tooltip: str, act: Callable[[], None]) -> Any:
        button = self._factory.button(text, tooltip, "ollama-magic-act")
        button.on_click(lambda _: act())
        return button


def _meter(used: int, window: int | None) -> str:
    if not used:
        return ""
    if not window:
        return f"<small>{used:,} tokens</small>"
    title = f"Context window: {used:,} of {window:,} tokens"
    full = min(used / window, 1.0)
    level = "full" if full > 0.9 else "high" if full > 0.75 else "low"
    inner = f'<i class="ollama-magic-{level}" style="width:{full:.0%}"></i>'
    label = f"{_short(used)} / {_short(window)}"
    return (
        f'<span class="ollama-magic-meter" role="meter" aria-label="Context window" aria-valuemin="0" '
        f'aria-valuemax="{window}" aria-valuenow="{used}" title="{escape(title)}"><b>{inner}</b>'
        f"<small>{label}</small></span>"
    )


def _short(tokens: int) -> str:
    return f"{tokens:,}" if tokens < 10_000 else f"{tokens / 1000:.0f}k"
