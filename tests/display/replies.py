"""What the display's tests share: a shell whose outputs can be read, and a reply that is fed by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ollama_magic.conversation.reply import COMPLETE, Reply
from ollama_magic.display.slot import Slot

if TYPE_CHECKING:
    from collections.abc import Sequence

LABELS = {"slot": "cell/1", "conversation": "main"}
HTML, TEXT, WIDGET = "text/html", "text/plain", "application/vnd.jupyter.widget-view+json"


def a_reply(text: str = "", **parts: Any) -> Reply:
    """A reply of gemma3:1b with this text so far."""
    texts = [text] if text else []
    return Reply(**{"model": "gemma3:1b", "conversation": "main", "turns_sent": 1, "text_parts": texts, **parts})


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
