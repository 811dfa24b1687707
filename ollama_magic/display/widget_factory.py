"""Creates, counts and closes the widgets of one answer; `core_widgets` has their classes."""

from __future__ import annotations

import logging
import secrets
from itertools import count
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

logger = logging.getLogger("ollama_magic.display")
# Every message contains a widget's id, which has 32 characters in ipywidgets.
_KERNEL, _NUMBERS = secrets.token_urlsafe(4), count()


class WidgetFactory:
    """Makes the widgets of one answer, counts the messages that they send, and closes them together."""

    def __init__(self) -> None:
        from ollama_magic.display import core_widgets

        self.sent = 0
        self._kinds: Any = core_widgets
        self._made: dict[str, Any] = {}

    def html(self, value: str = "", *, math: bool = False) -> Any:
        """A block of HTML; with `math` the front end typesets what is marked as TeX."""
        return self._make(self._kinds.HTMLMath if math else self._kinds.HTML, value=value)

    def box(self, children: Sequence[Any] = (), classes: str = "") -> Any:
        """A box that stacks its children; the style sheet knows its classes."""
        return self._make(self._kinds.Box, classes, children=tuple(children))

    def button(self, text: str, tooltip: str, classes: str) -> Any:
        """A push button whose clicks are answered while a cell blocks."""
        return self._make(self._kinds.Button, classes, description=text, tooltip=tooltip)

    def toggle(self, text: str, classes: str) -> Any:
        """A toggle button, which the front end toggles alone; its state is a trait."""
        return self._make(self._kinds.ToggleButton, classes, description=text, value=False)

    def text_area(self, text: str, placeholder: str, tooltip: str, classes: str) -> Any:
        """A text box that sends its value when it loses the focus, not with every key."""
        traits = {"value": text, "placeholder": placeholder, "tooltip": tooltip, "rows": 1}
        return self._make(self._kinds.Textarea, classes, continuous_update=False, **traits)

    def file_upload(self, text: str, tooltip: str, classes: str) -> Any:
        """A button that lets the user choose files, whose content is its value."""
        traits = {"description": text, "tooltip": tooltip, "icon": "", "multiple": True}
        return self._make(self._kinds.FileUpload, classes, **traits)

    def menu(self, options: Sequence[tuple[str, str]], value: str, tooltip: str, classes: str) -> Any:
        """A menu of labels and values."""
        return self._make(self._kinds.Dropdown, classes, options=list(options), value=value, tooltip=tooltip)

    def set(self, widget: Any, trait: str, value: Any) -> None:
        """Change a trait, which sends one message if the value differs."""
        if getattr(widget, trait) != value:
            self.sent += 1
            setattr(widget, trait, value)

    def close(self, *widgets: Any) -> None:
        """Close these widgets of the answer."""
        for widget in widgets:
            self.sent += 1
            self._made.pop(widget.model_id, None)
            widget.close()

    def close_all(self) -> None:
        """Close every widget of the answer."""
        logger.debug("%d widgets close; %d messages were sent", len(self._made), self.sent)
        self.close(*list(self._made.values()))

    def _make(self, kind: Any, classes: str = "", **traits: Any) -> Any:
        widget = kind(**traits, _dom_classes=tuple(classes.split()), model_id=f"{_KERNEL}{next(_NUMBERS):x}")
        self.sent += 1
        self._made[widget.model_id] = widget
        return widget
