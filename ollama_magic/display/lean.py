"""Core widgets with little on the wire: no Layout, no style, few traits, short messages (design §3)."""

from __future__ import annotations

from functools import lru_cache
from itertools import count
from typing import Any

from ollama_magic.display.host import current_shell

_NUMBERS = count()
_MODEL = ("_model_module", "_model_module_version", "_model_name")


@lru_cache
def lean(kind: Any, *sent: str) -> Any:
    """The same widget to a front end, but without Layout and style: two comms less.

    A page that is loaded while a cell blocks hears of new widgets long before it learns of old ones, and
    gives up any widget that refers to a model it does not know; a lean one refers to none.
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

    makes_comms = int(widgets.__version__.partition(".")[0]) >= 8

    def open_comm(widget: Any) -> None:
        name = getattr(widget, "_model_id", None)  # what `model_id` will be
        made = _new_comm(name) if makes_comms and name and widget.comm is None else None
        if made is None:
            kind.open(widget)
            _shorten(widget.comm)
        else:
            made.open({"state": widget.get_state()}, {"version": widgets.__protocol_version__})
            widget.comm = made

    return type(kind.__name__, (kind,), {**traits, "open": open_comm})


def _new_comm(name: str) -> Any:
    """A comm of ipykernel that has not sent anything yet; None in a kernel of another make."""
    import comm

    if not comm.create_comm.__module__.startswith("ipykernel."):
        return None
    made: Any = comm.create_comm(target_name="jupyter.widget", comm_id=name, primary=False)
    _shorten(made)
    return made


def _shorten(comm: Any) -> None:
    """Send short headers: a name of the message's own, and of the request behind it its id alone.

    A page looks at no more; a list of buffers that is empty need not be sent. Nor is it noted which subshell of
    ipykernel 7 wrote last: it would be asked to answer, and may be the main thread, which a cell blocks, or gone
    with its page. So the front end chooses where it is answered (design §3).
    """
    kernel: Any = getattr(current_shell(), "kernel", None)
    if not (type(comm).__module__.startswith("ipykernel.") and hasattr(kernel, "get_parent")):
        return

    def publish(kind: str, data: Any = None, metadata: Any = None, buffers: Any = None, **more: Any) -> None:
        header = {**kernel.session.msg_header(kind), "msg_id": f"{comm.comm_id}-{next(_NUMBERS):x}"}
        sent = {name: value for name, value in (data or {}).items() if value or name != "buffer_paths"}
        content = {"data": sent, "comm_id": comm.comm_id, **more}
        asked = {"header": {"msg_id": kernel.get_parent().get("header", {}).get("msg_id", "")}}
        place = {"parent": asked, "metadata": metadata or {}, "ident": comm.topic, "buffers": buffers}
        kernel.session.send(kernel.iopub_socket, kind, content, header=header, **place)

    comm.kernel, comm.publish_msg = kernel, publish
    getattr(comm, "__dict__", {}).pop("_reply_subshell_id", None)
