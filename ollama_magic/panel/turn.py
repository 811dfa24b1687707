"""One turn in a panel: what was said, the answer to it, and what can be done with both."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from ollama_magic.conversation.remembered import reply_of
from ollama_magic.conversation.reply import AS_MARKDOWN, RUNNING
from ollama_magic.display.guarded import GuardedView
from ollama_magic.display.kit import WidgetKit
from ollama_magic.display.settled import IGNORE_TEX, settled_html
from ollama_magic.foreign import one_line, visible
from ollama_magic.panel.answer import PanelAnswer
from ollama_magic.panel.input import PromptInput

if TYPE_CHECKING:
    from collections.abc import Callable

    from ollama_magic.conversation.handle import TurnHandle
    from ollama_magic.conversation.remembered import Turn

    Ask = Callable[["PanelTurn", str], None]


class PanelTurn:
    """The widgets of one turn. A running one shows the live answer, which stays when it has settled."""

    def __init__(self, prompt: str, model: str, cell: str | None, ask: Ask) -> None:
        self.prompt = prompt
        self.number = self.since = 0  # the notebook's newest turn when this one was seen
        self.asked_again = False
        self.handle: TurnHandle | None = None
        self._ask = ask
        self._kit = kit = WidgetKit()
        self._said = kit.html(said_html(prompt))
        self._answer: Any = kit.html()
        self._live: PanelAnswer | None = None
        self._editor: PromptInput | None = None
        self._meta = kit.html(_meta(model, cell))
        self._cell = cell
        edit = kit.button(
            "Edit", "Ask otherwise: what follows is set aside, and undo brings it back", "ollama-magic-do"
        )
        again = kit.button("Ask again", "Ask the same again: what follows is set aside", "ollama-magic-do")
        edit.on_click(lambda _: self.edit())
        again.on_click(lambda _: self._ask(self, self.prompt))
        self._row = kit.box([self._meta, edit, again], "ollama-magic-doings")
        self.root: Any = kit.box([self._said, self._answer, self._row], "ollama-magic-turn")

    @classmethod
    def settled(cls, turn: Turn, ask: Ask) -> PanelTurn:
        """A turn as it is remembered."""
        panel_turn = cls(turn.prompt, turn.model, turn.cell, ask)
        panel_turn.number = turn.number
        panel_turn.show(turn)
        return panel_turn

    @classmethod
    def running(cls, handle: TurnHandle, ask: Ask) -> PanelTurn:
        """A turn on its way; on the loop, for it joins those who watch."""
        assert handle.turn is not None, "a turn on its way is known to its handle"
        panel_turn = cls(handle.turn.plan.prompt, "", handle.cell, ask)
        panel_turn.handle = handle
        panel_turn.since = max(handle.turn.conversation.journal.fold.next_number - 1, handle.turn.record.number)
        panel_turn.follow(handle)
        return panel_turn

    def show(self, turn: Turn) -> None:
        """Show the answer of a turn that has settled, in one widget."""
        from ollama_magic.markdown.renderer import MarkdownRenderer

        math = turn.form == AS_MARKDOWN and MarkdownRenderer().render(turn.text).math
        html = f'<div class="jp-RenderedHTMLCommon">{settled_html(reply_of(turn), "none")}</div>'
        self._answer = self._kit.html(html, math=math)
        self._arrange()

    def follow(self, handle: TurnHandle) -> None:
        """Show the answer while it comes."""
        assert handle.turn is not None, "a turn on its way is known to its handle"
        self._live = PanelAnswer(handle.reply, handle.stop)
        self._answer = self._live.root
        self._arrange()
        handle.turn.changed.join(GuardedView(self._live))

    def tell(self, turn: Turn | None) -> None:
        """Say what is known by now: its number, and the model that answers."""
        if turn is not None and self._live is not None:
            self.number = turn.number
            model = turn.model or (self.handle.reply.model if self.handle else "")
            if turn.state != RUNNING and _meta(model, self._cell) != self._meta.value:
                self._kit.set(self._meta, "value", _meta(model, self._cell))

    def thin(self, turn: Turn) -> None:
        """Put one widget in the place of the many of a live answer that has settled."""
        live, self._live, self.handle = self._live, None, None
        if live is not None:
            self.show(turn)
            live.close()

    @property
    def live(self) -> bool:
        """Whether it has the widgets of a live answer."""
        return self._live is not None

    def edit(self) -> None:
        """Put the prompt into a box to write in."""
        if self._editor is None:
            self._editor = PromptInput(self._kit, self._edited, self.prompt, self._leave)
            self._arrange()

    def close(self) -> None:
        """Close all of its widgets."""
        self._kit.close_all()
        if self._live is not None:
            self._live.close()

    def _edited(self, prompt: str) -> None:
        self._leave()
        self._ask(self, prompt)

    def _leave(self) -> None:
        editor, self._editor = self._editor, None
        if editor is not None:
            self._arrange()
            self._kit.close(editor.box, *editor.widgets)

    def _arrange(self) -> None:
        said = self._editor.box if self._editor else self._said
        self._kit.set(self.root, "children", (said, self._answer, self._row))


def said_html(prompt: str) -> str:
    """What was said, as it was typed; the snippet reads it from here when it is called back."""
    shown = visible(prompt)
    raw = "" if shown == prompt else f' data-said="{escape(prompt)}"'
    text = f'<div class="ollama-magic-said"{raw}>{escape(shown)}</div>'
    return f'<div class="ollama-magic-bubble {IGNORE_TEX}" role="article" aria-label="You">{text}</div>'


def _meta(model: str, cell: str | None) -> str:
    parts = [one_line(model), "from a cell" if cell else ""]
    return f"<small>{escape(' · '.join(filter(None, parts)))}</small>"
