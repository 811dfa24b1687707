"""The widgets of one answer: core ipywidgets in the front end, few comms and short messages (design §3)."""

from __future__ import annotations

import secrets
from itertools import count
from typing import TYPE_CHECKING, Any

from ollama_magic.display.lean import lean

if TYPE_CHECKING:
    from collections.abc import Sequence

_MESSAGE, _OPENING = 480, 900
_KERNEL, _NUMBERS = secrets.token_urlsafe(4), count()


class WidgetKit:
    """Makes the widgets of one answer, counts what they send, and closes them together.

    `sent` are messages, `weight` their bytes: text, and what the protocol wraps around it, as measured.
    """

    def __init__(self) -> None:
        import ipywidgets

        self.sent = 0
        self.weight = 0
        self._widgets: Any = ipywidgets
        self._made: dict[str, Any] = {}

    def html(self, value: str = "", *, math: bool = False) -> Any:
        """A block of HTML; with `math` the front end typesets what is marked as TeX."""
        kind = lean(self._widgets.HTMLMath if math else self._widgets.HTML, "value")
        return self._made_one(kind, value=value)

    def box(self, children: Sequence[Any] = (), name: str = "") -> Any:
        """A box that stacks its children; `name` are its classes for the style sheet."""
        named = ("_dom_classes",) if name else ()
        kind = lean(self._widgets.VBox, "children", *named)
        return self._made_one(kind, children=tuple(children), **_named(name))

    def button(self, text: str, tooltip: str, name: str) -> Any:
        """A push button whose clicks are answered while a cell blocks."""
        kind = lean(self._widgets.Button)
        return self._made_one(kind, description=text, tooltip=tooltip, **_named(name))

    def toggle(self, text: str, name: str) -> Any:
        """A button that stays down; the front end toggles it alone, and its state lives in a trait."""
        kind = lean(self._widgets.ToggleButton)
        return self._made_one(kind, description=text, value=False, **_named(name))

    def text_area(self, text: str, placeholder: str, tooltip: str, name: str) -> Any:
        """A box to write in; its value is told when it is left, and not with every key."""
        given = {"value": text, "placeholder": placeholder, "tooltip": tooltip, "rows": 1, **_named(name)}
        return self._made_one(lean(self._widgets.Textarea), continuous_update=False, **given)

    def menu(self, options: Sequence[tuple[str, str]], value: str, tooltip: str, name: str) -> Any:
        """A menu of labels and values."""
        given = {"options": list(options), "value": value, "tooltip": tooltip, **_named(name)}
        return self._made_one(lean(self._widgets.Dropdown), **given)

    def set(self, widget: Any, trait: str, value: Any) -> None:
        """Change a trait, which sends one message."""
        self._count(_MESSAGE, value)
        setattr(widget, trait, value)

    def close(self, *widgets: Any) -> None:
        """Close these widgets of the answer."""
        for widget in widgets:
            self._count(_MESSAGE)
            self._made.pop(widget.model_id, None)
            widget.close()

    def close_all(self) -> None:
        """Close every widget of the answer."""
        self.close(*list(self._made.values()))

    def _made_one(self, kind: Any, **traits: Any) -> Any:
        """A widget with a short name of its own: its name is in every message, and ipywidgets' has 32 letters."""
        widget = kind(**traits, model_id=f"{_KERNEL}{next(_NUMBERS):x}")
        self._count(_OPENING, traits.get("value", ""))
        self._made[widget.model_id] = widget
        return widget

    def _count(self, wrapping: int, value: object = "") -> None:
        self.sent += 1
        self.weight += wrapping + (len(value) if isinstance(value, str) else 0)


def _named(name: str) -> dict[str, Any]:
    return {"_dom_classes": tuple(name.split())} if name else {}
