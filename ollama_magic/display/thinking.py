"""Live thinking: a folded section that is opened and closed by the front end alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ollama_magic.display.blocks import Blocks
from ollama_magic.display.styles import style_element

if TYPE_CHECKING:
    from ollama_magic.display.widget_factory import WidgetFactory
    from ollama_magic.markdown.incremental import IncrementalMarkdown


class ThinkingSection:
    """A toggle button and the blocks it unfolds.

    The style sheet shows the blocks beside a pressed button, so no message is needed. The choice is the button's
    `value`, and the button is never sent again: what is open stays open while thinking grows, and in a reloaded page.
    """

    def __init__(self, factory: WidgetFactory, markdown: IncrementalMarkdown) -> None:
        self._toggle = factory.toggle("Thinking", "ollama-magic-fold")
        self.blocks = Blocks(factory, markdown, "ollama-magic-folded")
        style = factory.html(style_element("display/thinking.css"))
        self.box: Any = factory.box([style, self._toggle, self.blocks.box], "ollama-magic-thinking")

    @property
    def unfolded(self) -> bool:
        """Whether it is unfolded, as far as the kernel knows."""
        return bool(self._toggle.value)
