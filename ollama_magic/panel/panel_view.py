"""The chat panel: builds its widgets, and updates them when the conversation changes."""

from __future__ import annotations

import logging
import secrets
from contextlib import suppress
from html import escape
from typing import TYPE_CHECKING, Any

from ollama_magic.attachments.reading import Limits
from ollama_magic.conversation.changes import BEGAN_WITH
from ollama_magic.conversation.context_window import used_by
from ollama_magic.display.host import answers_clicks_while_busy
from ollama_magic.display.live import WIDGET_TYPE, view_of
from ollama_magic.display.safe_view import warn_of_failure
from ollama_magic.display.styles import short_script, style_element
from ollama_magic.display.vscode import style_for_host
from ollama_magic.display.widget_factory import WidgetFactory
from ollama_magic.errors import OllamaMagicError
from ollama_magic.log import log_fault
from ollama_magic.panel.attachment_tray import AttachmentTray
from ollama_magic.panel.input import PromptInput
from ollama_magic.panel.notice import Notice
from ollama_magic.panel.toolbar import Toolbar
from ollama_magic.panel.transcript import CLOSED, NO_WIDGET, OPEN, Transcript, answering, widget_label
from ollama_magic.panel.turn_list import PORTION, TurnList

if TYPE_CHECKING:
    from collections.abc import Callable

    from ollama_magic.conversation.conversation import Conversation
    from ollama_magic.conversation.session import Session
    from ollama_magic.panel.panel_actions import PanelActions
    from ollama_magic.panel.turn_widgets import TurnWidgets
    from ollama_magic.turns.attachment import Attachment
    from ollama_magic.turns.turn_value import Turn

logger = logging.getLogger("ollama_magic.panel")
PLACEHOLDER = "A chat panel was open in this cell; run the cell again for a new one."
REST_S = 1.0  # before the transcript is sent, so that quick turns send it only once
BUSY_S = 0.4


class Panel:
    """The widgets and the transcript below them; without widgets only the transcript.

    Every change of the conversation wakes the panel, which updates itself on the session's loop. While `due`, an update
    is pending.
    """

    def __init__(self, session: Session, actions: PanelActions, shell: Any, slot: str, *, widgets: bool = True) -> None:
        self._session, self._actions, self._shell = session, actions, shell
        self._slot, self._transcript = slot, Transcript(slot)
        self._display_id = secrets.token_hex(16)
        self._widgets = widgets
        self.due = self._busy = self._awaited = False
        self.closed = False
        self._server: object = None
        self._models: list[str] = []
        if widgets:
            self._build()

    def open(self) -> None:
        """Show the outputs in the running cell, and start listening."""
        from IPython import display

        conversation = self._session.conversation()
        if self._widgets:
            self._session.call(self._first_look())
            publish: Any = display.display
            bundle = {WIDGET_TYPE: view_of(self.root), "text/plain": PLACEHOLDER}
            publish(bundle, raw=True, display_id=self._display_id, metadata=widget_label(self._shell, self._slot, OPEN))
        # A long transcript, which the panel hides, follows when the panel stands.
        self._transcript.open(conversation.name, conversation.turns, PORTION if self._widgets else 0)
        logger.info("a panel opens with %d turns", len(conversation.turns))
        self._session.journal.listeners.append(self.wake)
        self._shell.events.register("pre_run_cell", self._cell_begins)
        self._shell.events.register("post_run_cell", self._cell_ended)
        self.wake()

    def wake(self) -> None:
        """Schedule an update, from any thread; several calls cause one update."""
        if not self.due and not self.closed:
            self.due = True
            self._session.loop_thread.start(self._look())

    def close(self) -> None:
        """Close the panel; only the transcript stays."""
        if self.closed:
            return
        self.closed = True
        logger.info("a panel closes")
        with suppress(ValueError):
            self._session.journal.listeners.remove(self.wake)
        for name, callback in (("pre_run_cell", self._cell_begins), ("post_run_cell", self._cell_ended)):
            with suppress(ValueError):
                self._shell.events.unregister(name, callback)
        self._transcript.finish(self._session, self._session.conversation())
        if self._widgets:
            self._leave()

    stop = close  # the session stops its resources when it closes

    def _build(self) -> None:
        self.factory = factory = WidgetFactory()
        acts = (
            ("New", "Start a new conversation", lambda: self._do(self._actions.begin_anew)),
            ("Undo", "Undo the newest step", lambda: self._do(self._actions.undo)),
            ("×", "Close this panel; what was said stays in the notebook", self.close),
        )
        actions = self._actions
        self._toolbar = Toolbar(
            factory,
            lambda name: self._do(actions.switch, name),
            lambda name: self._do(actions.choose_model, name),
            acts,
        )
        self.turns = TurnList(factory, self._ask, self._keep, self.wake)
        self.notice = Notice(factory)
        self.tray = AttachmentTray(
            factory, self._limits, self._session.mask, lambda line: self.notice.say(line, wrong=bool(line))
        )
        self.input = PromptInput(factory, lambda prompt: self._do(self._ask_next, prompt), beside=[self.tray.button])
        constant = factory.html(_look(self._transcript.name) + _script())
        rows = [constant, self._toolbar.box, self.turns.box, self.notice.widget, self.tray.box, self.input.box]
        self.root: Any = factory.box(rows, f"ollama-magic-panel {self.name}")

    def _leave(self) -> None:
        from IPython import display

        publish: Any = display.update_display
        label = widget_label(self._shell, self._slot, CLOSED)
        publish(dict(NO_WIDGET), raw=True, display_id=self._display_id, metadata=label)
        self.turns.close()
        self.factory.close_all()

    def _do(self, act: Callable[..., str | None], *args: Any) -> None:
        """Run the action of a button or a menu, and show its result."""
        try:
            said = act(*args)
        except OllamaMagicError as error:
            self.notice.say(str(error), wrong=True)
        except Exception as error:  # noqa: BLE001 (the kernel would show it to nobody)
            self.notice.say(log_fault(logger, error), wrong=True)
        else:
            self.notice.say(said or "")
        self.wake()

    def _ask(self, turn: TurnWidgets, prompt: str) -> None:
        self._do(self._ask_instead, turn, prompt)

    def _ask_instead(self, turn: TurnWidgets, prompt: str) -> None:
        if turn.handle is not None:
            turn.handle.stop()
        known = self._session.journal.turn(turn.turn.number)
        self._send(prompt, known if known is not None and known.counts else None, turn.turn.attachments)
        turn.retried = True

    def _keep(self, turn: TurnWidgets, column: Turn) -> None:
        known = self._session.journal.turn(turn.turn.number)
        if known is not None and known.counts:
            self._do(self._actions.keep, known, column)

    def _ask_next(self, prompt: str) -> None:
        attached = self.tray.take()
        try:
            self._send(prompt, None, attached)
        except OllamaMagicError:
            self.tray.put_back(attached)
            raise

    def _send(self, prompt: str, instead_of: Turn | None, attachments: tuple[Attachment, ...]) -> None:
        self.turns.sent(self._actions.send(prompt, instead_of, attachments))

    def _limits(self) -> Limits:
        settings = self._session.settings()
        return Limits(settings.image_side, settings.attach_chars)

    @property
    def name(self) -> str:
        """The class of the panel in the page."""
        return f"{self._transcript.name}-panel"

    def take_file(self, name: str, data: bytes | None, size: int) -> None:
        """Attach a file that was dropped on the panel or pasted into it."""
        if self._widgets and not self.closed:
            self.tray.add(name, data, size)

    async def _first_look(self) -> None:
        self._refresh()

    async def _look(self) -> None:
        self.due = False
        if self.closed:
            return
        try:
            if self._widgets:
                self._refresh()
                await self._learn_models()
        except Exception as error:  # noqa: BLE001 (whatever a front end's library raises)
            warn_of_failure("The panel failed; the conversation is not affected", error)
        self._copy_soon()

    def _refresh(self) -> None:
        """Update all widgets."""
        session, conversation = self._session, self._session.conversation()
        self.turns.refresh(conversation, session.running())
        self._toolbar.conversations(
            list(dict.fromkeys([*session.journal.conversations(), conversation.name])), conversation.name
        )
        chosen, model = conversation.setting("model") or "", self._model(conversation)
        self._toolbar.models(self._models, chosen, "" if chosen else model)
        self._toolbar.meter(*self._fullness(conversation, model))

    def _model(self, conversation: Conversation) -> str:
        return conversation.setting("model") or self._session.settings().model or conversation.setting(BEGAN_WITH) or ""

    def _fullness(self, conversation: Conversation, model: str) -> tuple[int, int | None]:
        """Return the tokens that the conversation uses, and the size of the context window, if known."""
        used = used_by(conversation.turns)
        options = {**self._session.settings().options, **(conversation.setting("options") or {})}
        room = options.get("num_ctx")
        if not isinstance(room, int) and used:
            with suppress(OllamaMagicError):
                known = self._session.server().windows.get(model)
                room = known.size if known is not None else None
        return used, room if isinstance(room, int) else None

    async def _learn_models(self) -> None:
        """Look up the installed models when the server has changed."""
        try:
            server = self._session.server()
            if server is self._server:
                return
            self._server = server
            self._models = await self._actions.models()
        except OllamaMagicError as error:
            self.notice.say(str(error), wrong=True)
        else:
            self._refresh()

    def _copy_soon(self) -> None:
        """Schedule an update of the transcript."""
        import asyncio

        if self._awaited or self.closed:
            return
        self._awaited = True
        asyncio.get_running_loop().call_later(REST_S, self._copy)

    def _copy(self) -> None:
        self._awaited = False
        conversation = self._session.conversation()
        if self.closed or answering(self._session, conversation):
            return  # its end wakes the panel again
        self._transcript.update(conversation.name, conversation.turns)

    def _cell_begins(self, info: object = None) -> None:
        """Note that a cell runs; if the kernel handles no clicks meanwhile, the panel says so."""
        del info
        self._busy = True
        if self._widgets and not answers_clicks_while_busy(self._shell):
            self._session.loop_thread.call_soon(self._say_soon)

    def _say_soon(self) -> None:
        import asyncio

        asyncio.get_running_loop().call_later(BUSY_S, self._say_busy)

    def _say_busy(self) -> None:
        if self._busy and not self.closed:
            self.notice.wait()

    def _cell_ended(self, result: object = None) -> None:
        del result
        self._busy = False
        if self._widgets:
            self.notice.end_wait()
        else:
            self._copy()  # at once: a kernel without a page ends after its last cell
        self.wake()


def _look(transcript: str) -> str:
    """Return the style sheets, which hide the transcript while the panel is open."""
    living = f".{transcript}-panel:not(.jupyter-widgets-disconnected)"
    hidden = f"body:has({living}) :is(.{transcript}, .jp-OutputArea-child:has(.{transcript}))"
    style = style_element("display/live.css", "panel/panel.css") + style_for_host(widgets=True)
    return f"{style}<style>{hidden}{{display:none}}</style>"


def _script() -> str:
    """Return the constant script of `panel.js`, which an image that cannot load runs."""
    return f'<img src="data:," alt="" hidden onerror="{escape(short_script("panel/panel.js"))}">'
