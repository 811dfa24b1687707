"""The widgets of one turn in a panel: prompt, answer and buttons."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from ollama_magic.conversation.reply import AS_MARKDOWN, RUNNING, Reply
from ollama_magic.display.safe_view import SafeReplyView
from ollama_magic.display.settled import IGNORE_TEX, settled_html
from ollama_magic.display.widget_factory import WidgetFactory
from ollama_magic.foreign import one_line, repaired, visible
from ollama_magic.panel.input import PromptInput
from ollama_magic.panel.panel_answer import PanelAnswer
from ollama_magic.panel.thumbnails import thumbnails_html
from ollama_magic.panel.turn_tabs import TurnTabs
from ollama_magic.turns.turn_value import Turn

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ollama_magic.conversation.handle import TurnHandle
    from ollama_magic.turns.attachment import Attachment

    Ask = Callable[["TurnWidgets", str], None]
    Keep = Callable[["TurnWidgets", Turn], None]

EDIT_TIP = "Edit the prompt and ask again: later turns are set aside, Undo restores them"


class TurnWidgets:
    """The widgets of one turn; a running turn shows the live answer, which stays after its end.

    `turn` is its newest known value; `since` is the number of the notebook's newest turn when it was sent.
    """

    def __init__(self, turn: Turn, ask: Ask, keep: Keep, handle: TurnHandle | None = None) -> None:
        self.turn, self.handle = turn, handle
        self.since = turn.number
        self.retried = False
        self._ask, self._keep = ask, keep
        self._tabs: TurnTabs | None = None
        self._live: PanelAnswer | None = None
        self._editor: PromptInput | None = None
        self._factory = factory = WidgetFactory()
        self._said, self._meta = factory.html(said_html(turn.prompt, turn.attachments)), factory.html(self._meta_html())
        edit = factory.button("Edit", EDIT_TIP, "ollama-magic-do")
        retry = factory.button("Ask again", "Ask the same again: later turns are set aside", "ollama-magic-do")
        edit.on_click(lambda _: self.edit())
        retry.on_click(lambda _: self._ask(self, self.turn.prompt))
        self._answer: Any = factory.html()
        self._row = factory.box([self._meta, edit, retry], "ollama-magic-doings")
        self.root: Any = factory.box([self._said, self._answer, self._row], "ollama-magic-turn")
        if handle is None:
            self._settle()

    @classmethod
    def running(cls, handle: TurnHandle, ask: Ask, keep: Keep) -> TurnWidgets:
        """Return the widgets of a running turn, joined to its views; to be called on the loop."""
        running = handle.turn
        assert running is not None, "the handle of a running turn has the turn"
        plan = running.plan
        turn = Turn(plan.prompt, number=running.record.number, cell=handle.cell, attachments=plan.attachments)
        widgets = cls(turn, ask, keep, handle)
        widgets.since = max(running.conversation.journal.newest_number, turn.number)
        widgets._live = PanelAnswer(handle.reply, handle.stop)
        widgets._answer = widgets._live.root
        widgets._arrange()
        running.views.join(SafeReplyView(widgets._live))
        return widgets

    def update(self, turn: Turn | None) -> None:
        """Update the turn's value: its number, and the model that answers."""
        if turn is not None:
            self.turn = turn
            self._factory.set(self._meta, "value", self._meta_html())
            self._show_tabs(turn)

    def thin(self, turn: Turn) -> None:
        """Replace the widgets of a settled live answer by a single one."""
        live, self._live = self._live, None
        if live is not None:
            self.update(turn)
            self.handle = None
            self._settle()
            live.close()

    @property
    def live(self) -> bool:
        """Whether it has the widgets of a live answer."""
        return self._live is not None

    def edit(self) -> None:
        """Show the prompt in a text box."""
        if self._editor is None:
            self._editor = PromptInput(self._factory, self._edited, self.turn.prompt, self._leave)
            self._arrange()

    def close(self) -> None:
        """Close all of its widgets."""
        self._factory.close_all()
        if self._live is not None:
            self._live.close()

    def _edited(self, prompt: str) -> None:
        self._leave()
        self._ask(self, prompt)

    def _leave(self) -> None:
        editor, self._editor = self._editor, None
        if editor is not None:
            self._arrange()
            self._factory.close(editor.box, *editor.widgets)

    def _settle(self) -> None:
        """Show the answer in one widget."""
        from ollama_magic.markdown.renderer import Block, MarkdownRenderer

        text = self.turn.text
        block = MarkdownRenderer().render(text) if text and self.turn.form == AS_MARKDOWN else Block("")
        settled = settled_html(Reply.of(self.turn), "none", document=block.html)
        self._answer = self._factory.html(f'<div class="jp-RenderedHTMLCommon">{settled}</div>', math=block.math)
        self._show_tabs(self.turn)
        self._arrange()

    def _show_tabs(self, turn: Turn) -> None:
        """Show the answers of other models, once all have ended."""
        if self._tabs is not None:
            self._tabs.update(turn)
        elif TurnTabs.fit(turn):
            self._tabs = TurnTabs(self._factory, turn, self._arrange, lambda column: self._keep(self, column))
            self._arrange()

    def _meta_html(self) -> str:
        """Return the model, once it has answered, and whether a cell asked."""
        turn, model = self.turn, self.handle.reply.model if self.handle else ""
        parts = [one_line(turn.model or model) if turn.state != RUNNING else "", "from a cell" if turn.cell else ""]
        return f"<small>{escape(' · '.join(filter(None, parts)))}</small>"

    def _arrange(self) -> None:
        said = self._editor.box if self._editor else self._said
        tabs = [self._tabs.box] if self._tabs else []
        answer = self._tabs.answer(self._answer) if self._tabs else self._answer
        self._factory.set(self.root, "children", (said, *tabs, answer, self._row))


def said_html(prompt: str, attachments: Sequence[Attachment] = ()) -> str:
    """Return the prompt as typed, with what went along; the panel's script reads it to edit it."""
    said = repaired(prompt)
    shown = visible(said)
    raw = "" if shown == said else f' data-said="{escape(said)}"'
    text = f'<div class="ollama-magic-said"{raw}>{escape(shown)}</div>'
    beside = thumbnails_html(attachments)
    return f'<div class="ollama-magic-bubble {IGNORE_TEX}" role="article" aria-label="You">{beside}{text}</div>'
