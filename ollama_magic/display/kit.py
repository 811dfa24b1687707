"""The widgets of one answer: core ipywidgets in the front end, few comms and short messages (design §3)."""

from __future__ import annotations

import secrets
from functools import lru_cache
from itertools import count
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

_MESSAGE, _OPENING = 480, 900
_KERNEL, _NUMBERS = secrets.token_urlsafe(4), count()
_MODEL = ("_model_module", "_model_module_version", "_model_name")


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
        kind = _bare(self._widgets.HTMLMath if math else self._widgets.HTML, "value")
        return self._made_one(kind, value=value)

    def box(self, children: Sequence[Any] = (), name: str = "") -> Any:
        """A box that stacks its children; `name` are its classes for the style sheet."""
        named = ("_dom_classes",) if name else ()
        kind = _bare(self._widgets.VBox, "children", *named)
        return self._made_one(kind, children=tuple(children), **_named(name))

    def button(self, text: str, tooltip: str, name: str) -> Any:
        """A push button whose clicks are answered while a cell blocks."""
        kind = _bare(self._widgets.Button)
        return _heard_while_busy(self._made_one(kind, description=text, tooltip=tooltip, **_named(name)))

    def toggle(self, text: str, name: str) -> Any:
        """A button that stays down; the front end toggles it alone, and its state lives in a trait."""
        kind = _bare(self._widgets.ToggleButton)
        return _heard_while_busy(self._made_one(kind, description=text, value=False, **_named(name)))

    def text_area(self, text: str, placeholder: str, tooltip: str, name: str) -> Any:
        """A box to write in; its value is told when it is left, and not with every key."""
        given = {"value": text, "placeholder": placeholder, "tooltip": tooltip, "rows": 1, **_named(name)}
        return _always_heard(self._made_one(_bare(self._widgets.Textarea), continuous_update=False, **given))

    def menu(self, options: Sequence[tuple[str, str]], value: str, tooltip: str, name: str) -> Any:
        """A menu of labels and values."""
        given = {"options": list(options), "value": value, "tooltip": tooltip, **_named(name)}
        return _always_heard(self._made_one(_bare(self._widgets.Dropdown), **given))

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
        widget = _lean(kind(**traits, model_id=f"{_KERNEL}{next(_NUMBERS):x}"))
        self._count(_OPENING, traits.get("value", ""))
        self._made[widget.model_id] = widget
        return widget

    def _count(self, wrapping: int, value: object = "") -> None:
        self.sent += 1
        self.weight += wrapping + (len(value) if isinstance(value, str) else 0)


@lru_cache
def _bare(kind: Any, *sent: str) -> Any:
    """The same widget to a front end, but without Layout and style: two comms less.

    A page that is loaded while a cell blocks hears of new widgets long before it learns of old ones, and
    gives up any widget that refers to a model it does not know; a bare one refers to none.
    `sent`: the only traits that are ever sent; a front end's models have the same defaults for all others.
    """
    import ipywidgets
    from traitlets import Instance, default

    widgets: Any = ipywidgets
    traits: dict[str, Any] = {
        name: Instance(widgets.Widget, allow_none=True).tag(sync=True, **widgets.widget_serialization)
        for name in ("layout", "style")
        if kind.class_traits().get(name)
    }
    if sent:
        traits["_short"] = default("keys")(lambda _: [*_MODEL, *sent])
    return type(kind.__name__, (kind,), traits)


def _named(name: str) -> dict[str, Any]:
    return {"_dom_classes": tuple(name.split())} if name else {}


def _always_heard(widget: Any) -> Any:
    """Have the front end choose where it is answered.

    ipykernel 7 answers where the kernel last wrote from: in the main thread, which a cell may block, or in the subshell
    of a page that is gone.
    """
    comm: Any = getattr(widget, "comm", None)
    if hasattr(comm, "_reply_subshell_for"):
        comm._reply_subshell_for = lambda data, default: default  # noqa: ARG005, SLF001
    return widget


def _lean(widget: Any) -> Any:
    """Send of the request behind a change its id alone: the rest of its header is a sixth of the bytes of a paint.

    A page looks at the id only; and a list of buffers that is empty need not be sent.
    """
    comm: Any = getattr(widget, "comm", None)
    kernel: Any = getattr(comm, "kernel", None)
    if type(comm).__module__.startswith("ipykernel.") and hasattr(kernel, "get_parent"):

        def publish(kind: str, data: Any = None, metadata: Any = None, buffers: Any = None, **more: Any) -> None:
            sent = {name: value for name, value in (data or {}).items() if value or name != "buffer_paths"}
            content = {"data": sent, "comm_id": comm.comm_id, **more}
            asked = {"header": {"msg_id": kernel.get_parent().get("header", {}).get("msg_id", "")}}
            place = {"parent": asked, "metadata": metadata or {}, "ident": comm.topic, "buffers": buffers}
            kernel.session.send(kernel.iopub_socket, kind, content, **place)

        comm.publish_msg = publish
    return widget


def _heard_while_busy(widget: Any) -> Any:
    """Forget the subshell that made it, else ipykernel 7 answers its clicks on the busy one (design §3)."""
    comm = getattr(widget, "comm", None)
    if comm is not None:
        getattr(comm, "__dict__", {}).pop("_reply_subshell_id", None)
    return widget
