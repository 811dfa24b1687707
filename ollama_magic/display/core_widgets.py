"""Core widgets with few comms and traits, without their own Layout and style. `widget_factory` creates them."""

from __future__ import annotations

from typing import Any, ClassVar

from ipywidgets.widgets import widget_bool, widget_box, widget_button, widget_selection, widget_string, widget_upload
from ipywidgets.widgets.widget import Widget, widget_serialization
from traitlets import Instance, default


def _no_widget() -> Any:
    """Return a trait that is None, where core widgets create another widget with a comm."""
    return Instance(Widget, allow_none=True).tag(sync=True, **widget_serialization)


class _SelfContained(Widget):
    """The same widget for a front end, but without references to other models.

    A page that is loaded while a cell blocks receives new widgets long before old ones, and gives up widgets that
    refer to unknown models.
    """

    sent: ClassVar[tuple[str, ...]] = ()  # the traits to send; all others have the models' defaults
    layout = _no_widget()

    @default("keys")
    def _sent_keys(self) -> list[str]:
        return ["_model_module", "_model_module_version", "_model_name", *self.sent]


class HTML(_SelfContained, widget_string.HTML):
    """A block of HTML."""

    sent = ("value",)
    style = _no_widget()


class HTMLMath(_SelfContained, widget_string.HTMLMath):
    """A block of HTML whose TeX is typeset by the front end."""

    sent = ("value",)
    style = _no_widget()


class Box(_SelfContained, widget_box.VBox):
    """A box that stacks its children."""

    sent = ("children", "_dom_classes")


class _Control(_SelfContained):
    """An interactive widget, for which the front end chooses the subshell of ipykernel 7.

    ipykernel notes on each comm which subshell wrote last, and lets it answer. That may be the main thread, which a
    cell blocks, or a subshell whose page is gone. So the note is removed after each message.
    """

    style = _no_widget()

    @default("keys")
    def _sent_keys(self) -> list[str]:
        return list(self.traits(sync=True))

    def open(self) -> None:
        """Open the comm."""
        super().open()  # type: ignore[no-untyped-call]
        self._forget_subshell()

    def send_state(self, key: Any = None) -> None:
        """Send a change of the kernel."""
        super().send_state(key)  # type: ignore[no-untyped-call]
        self._forget_subshell()

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Apply a change of the front end, and confirm it."""
        super().set_state(sync_data)  # type: ignore[no-untyped-call]
        self._forget_subshell()

    def _forget_subshell(self) -> None:
        getattr(self.comm, "__dict__", {}).pop("_reply_subshell_id", None)


class Button(_Control, widget_button.Button):
    """A push button."""


class ToggleButton(_Control, widget_bool.ToggleButton):
    """A toggle button."""


class Textarea(_Control, widget_string.Textarea):
    """A text box."""


class FileUpload(_Control, widget_upload.FileUpload):
    """A button that lets the user choose files."""


class Dropdown(_Control, widget_selection.Dropdown):
    """A menu."""
