"""The row above a panel's turns: conversation, model, how full the context window is, and a few buttons."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from ollama_magic.foreign import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ollama_magic.display.kit import WidgetKit

UNTOLD = "automatic model"


class Menu:
    """A menu whose reader's choice is heard, and whose own changes are not."""

    def __init__(self, kit: WidgetKit, tooltip: str, choose: Callable[[str], None]) -> None:
        self._kit = kit
        self._choose = choose
        self._setting = False
        self.widget: Any = kit.menu([("…", "")], "", tooltip, "ollama-magic-menu")
        self.widget.observe(self._chosen, "value")

    def show(self, options: Sequence[tuple[str, str]], value: str) -> None:
        """Offer these labels and values, and have one chosen."""
        wanted = tuple(options)
        if (self.widget.options, self.widget.value) == (wanted, value):
            return
        self._setting = True
        try:
            if self.widget.options != wanted:
                self._kit.set(self.widget, "options", wanted)
            self._kit.set(self.widget, "value", value)
        finally:
            self._setting = False

    def _chosen(self, change: dict[str, Any]) -> None:
        if not self._setting and change["new"] is not None:
            self._choose(change["new"])


class Bar:
    """Menus, meter and buttons; `acts` are what they do."""

    def __init__(
        self,
        kit: WidgetKit,
        switch: Callable[[str], None],
        choose_model: Callable[[str], None],
        acts: Sequence[tuple[str, str, Callable[[], None]]],
    ) -> None:
        self._kit = kit
        self._talks = Menu(kit, "Conversation", switch)
        self._models = Menu(kit, "Model", choose_model)
        self._meter = kit.html()
        buttons = [self._button(*act) for act in acts]
        row = [self._talks.widget, self._models.widget, self._meter, *buttons]
        self.box: Any = kit.box(row, "ollama-magic-bar")

    def talks(self, names: Sequence[str], current: str) -> None:
        """Show the conversations."""
        self._talks.show([(one_line(name, 40), name) for name in names], current)

    def models(self, names: Sequence[str], told: str, answers: str) -> None:
        """Show the models: the one that was told, or that nothing was told and which one answers then."""
        every = list(dict.fromkeys([*names, *filter(None, [told])]))
        untold = f"{one_line(answers, 60)} (automatic)" if answers else UNTOLD
        self._models.show([(untold, ""), *((one_line(name, 60), name) for name in every)], told)

    def meter(self, used: int, window: int | None) -> None:
        """Show how much of the context window the conversation takes, as far as that is known."""
        html = _meter(used, window)
        if self._meter.value != html:
            self._kit.set(self._meter, "value", html)

    def _button(self, text: str, tooltip: str, act: Callable[[], None]) -> Any:
        button = self._kit.button(text, tooltip, "ollama-magic-act")
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
