"""What the display's tests share: a shell whose outputs can be read, and a reply that is fed by hand."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from ollama_magic.conversation.reply import COMPLETE, Reply, ReplyStatus
from ollama_magic.display.slot import Slot
from ollama_magic.turns.turn_value import RequestSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

STATUS = [one.name for one in fields(ReplyStatus)]
LABELS = {"slot": "cell/1", "conversation": "main"}
HTML, TEXT, WIDGET = "text/html", "text/plain", "application/vnd.jupyter.widget-view+json"


def a_reply(text: str = "", **parts: Any) -> Reply:
    """A reply of gemma3:1b with this text so far."""
    texts = [text] if text else []
    shown = {name: parts.pop(name) for name in STATUS if name in parts}
    status = ReplyStatus(**{"turns_sent": 1, **shown})
    settings = RequestSettings(model=parts.pop("model", "gemma3:1b"))
    given = {"conversation": "main", "text_parts": texts, **parts}
    return Reply(settings=settings, status=status, **given)


def ended(text: str = "", state: str = COMPLETE, **parts: Any) -> Reply:
    """A reply that is over."""
    return a_reply(text, state=state, **parts)


class RecordedSlot(Slot):
    """A slot that writes down what it is told to show."""

    def __init__(self) -> None:
        super().__init__(LABELS)
        self.shown: list[tuple[dict[str, Any], dict[str, Any]]] = []

    def open(self, bundle: Any, reply: Reply) -> None:
        self.opened = True
        self.shown.append((dict(bundle), self.metadata(reply)))

    def update(self, bundle: Any, reply: Reply) -> None:
        self.shown.append((dict(bundle), self.metadata(reply)))

    @property
    def last(self) -> dict[str, Any]:
        return self.shown[-1][0]


def leaves(widget: Any) -> Sequence[Any]:
    """The widgets that a page shows, in order."""
    children = getattr(widget, "children", None)
    if children is None:
        return [widget]
    return [leaf for child in children for leaf in leaves(child)]


def page(widget: Any) -> str:
    """All HTML that a page shows, in order."""
    return "".join(getattr(leaf, "value", "") or "" for leaf in leaves(widget) if isinstance(leaf.value, str))


def found(widget: Any, name: str) -> list[Any]:
    """The widgets within a widget, itself included, that a style sheet knows as `ollama-magic-<name>`."""
    mine = [widget] if f"ollama-magic-{name}" in getattr(widget, "_dom_classes", ()) else []
    return mine + [one for child in getattr(widget, "children", ()) for one in found(child, name)]


def answer_of(view: Any) -> Any:
    """The box of a live view in which the answer grows."""
    (box,) = found(view.root, "answer")
    return box
