"""A pull or create where no widgets are shown: one place of the page whose HTML is sent again, then settled."""

from __future__ import annotations

import secrets
from html import escape
from typing import TYPE_CHECKING, Any

from ollama_magic.conversation.reply import RUNNING
from ollama_magic.display.progress_words import ON_ITS_WAY, amount, doing, figures, percent, settled
from ollama_magic.display.tables import Shown
from ollama_magic.foreign import one_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from ollama_magic.display.transfer import Layer, Transfer

REST_S = 0.5


class UpdatingProgress:
    """The bundle of one place, sent at most twice a second."""

    def __init__(self) -> None:
        self.display_id = secrets.token_hex(16)
        self._opened = False

    def begin(self, transfer: Transfer, stop: Callable[[], None]) -> None:  # noqa: ARG002 (a page without widgets has no button)
        """Open the place; from now on it belongs to the running cell."""
        from IPython import display

        self._opened = True
        publish: Any = display.display
        publish(bundle(transfer), raw=True, display_id=self.display_id)

    def show(self, transfer: Transfer) -> float:
        """One update."""
        self.update(bundle(transfer))
        return REST_S

    def finish(self, transfer: Transfer) -> None:
        """Put the settled bundle in the place; a spare that takes over may have to open it first."""
        self.update(settled(transfer)._repr_mimebundle_())

    def update(self, found: dict[str, Any]) -> None:
        """Put another bundle in the place."""
        from IPython import display

        if self._opened:
            publish: Any = display.update_display
            publish(found, raw=True, display_id=self.display_id)


def bundle(transfer: Transfer) -> dict[str, str]:
    """A transfer on its way, without widgets."""
    if transfer.state != RUNNING:
        return settled(transfer)._repr_mimebundle_()
    rows = "".join(f"<tr>{_bar_cells(layer)}</tr>" for layer in transfer.layers.values())
    line = " · ".join(filter(None, (one_line(transfer.name, 80), figures(transfer), doing(transfer))))
    shown = Shown(f"<p><small>{escape(line)}</small></p><table><tbody>{rows}</tbody></table>", ON_ITS_WAY)
    return shown._repr_mimebundle_()


def _bar_cells(layer: Layer) -> str:
    bar = f'<progress max="1" value="{layer.share:.3f}"></progress>'
    cells = (escape(layer.label), bar, percent(layer.share), escape(amount(layer.completed, layer.total)))
    return "".join(f'<td><div align="left">{cell}</div></td>' for cell in cells)
