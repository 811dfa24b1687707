"""Thinking while it comes: a folded section that the reader opens and closes in the front end alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ollama_magic.display.blocks import Blocks

if TYPE_CHECKING:
    from ollama_magic.display.kit import WidgetKit
    from ollama_magic.markdown.incremental import IncrementalMarkdown


class ThinkingSection:
    """A button that stays down and the blocks it unfolds.

    The style sheet shows the blocks beside a pressed button, so no message is needed; the choice is the
    button's `value`, a trait, and the button is never sent again: what is open stays open while thinking
    grows, and in a page that is loaded anew.
    """

    def __init__(self, kit: WidgetKit, markdown: IncrementalMarkdown) -> None:
        self._toggle = kit.toggle("Thinking", "ollama-magic-fold")
        self.blocks = Blocks(kit, markdown, "ollama-magic-folded")
        self.box: Any = kit.box([self._toggle, self.blocks.box], "ollama-magic-thinking")

    @property
    def unfolded(self) -> bool:
        """Whether the reader has it open, as far as the kernel has heard."""
        return bool(self._toggle.value)
