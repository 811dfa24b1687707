"""A chat panel: what it consists of, and how it keeps up with the conversation that the cells are part of."""

from __future__ import annotations

import secrets
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ollama_magic.conversation.context_window import used_by
from ollama_magic.conversation.conversation import BEGAN_WITH
from ollama_magic.display.guarded import DisplayFailed
from ollama_magic.display.host import answers_clicks_while_busy
from ollama_magic.display.kit import WidgetKit
from ollama_magic.display.live import WIDGET_TYPE, view_of
from ollama_magic.display.style import LIVE_STYLE
from ollama_magic.errors import OllamaMagicError
from ollama_magic.panel.bar import Bar
from ollama_magic.panel.input import PromptInput
from ollama_magic.panel.notice import Notice
from ollama_magic.panel.snippet import SNIPPET
from ollama_magic.panel.style import panel_style
from ollama_magic.panel.transcript import Transcript
from ollama_magic.panel.turns import TurnList

if TYPE_CHECKING:
    from collections.abc import Callable

    from ollama_magic.conversation.conversation import Conversation
    from ollama_magic.conversation.remembered import Turn
    from ollama_magic.conversation.session import Session
    from ollama_magic.panel.desk import Desk
    from ollama_magic.panel.turn import PanelTurn

HERE = "A chat panel stood here; run this cell again for a new one."
REST_S = 1.0  # before the transcript is sent, so that quick turns send it once
BYTES_PER_S = 50_000  # and a long one is sent less often
BUSY_S = 0.4


class Panel:
    """The widget, and under it the transcript; without widgets the transcript alone.

    Whoever changes a conversation wakes the panel; what it then shows, it shows on the session's loop.
    """

    def __init__(self, session: Session, desk: Desk, shell: Any, slot: str, *, widgets: bool = True) -> None:
        self._session, self._desk, self._shell = session, desk, shell
        self._transcript = Transcript(slot)
        self._display_id = secrets.token_hex(16)
        self._widgets = widgets
        self._due = self._busy = self._awaited = False
        self.closed = False
        self._server: object = None
        self._models: list[str] = []
        if widgets:
            self._build()

    def open(self) -> None:
        """Show both outputs in the running cell, and listen."""
        from IPython import display

        talk = self._session.conversation()
        if self._widgets:
            self._session.call(self._first_look())
            publish: Any = display.display
            bundle = {WIDGET_TYPE: view_of(self.root), "text/plain": HERE}
            publish(bundle, raw=True, display_id=self._display_id)
        self._transcript.open(talk.name, talk.turns)
        self._session.journal.listeners.append(self.wake)
        self._shell.events.register("pre_run_cell", self._cell_begins)
        self._shell.events.register("post_run_cell", self._cell_ended)
        self.wake()

    def wake(self) -> None:
        """Have the panel look at the conversation anew, from any thread; many calls are one look."""
        if not self._due and not self.closed:
            self._due = True
            self._session.loop_thread.start(self._look())

    def close(self) -> None:
        """Leave the transcript alone behind."""
        if self.closed:
            return
        self.closed = True
        with suppress(ValueError):
            self._session.journal.listeners.remove(self.wake)
        for name, callback in (("pre_run_cell", self._cell_begins), ("post_run_cell", self._cell_ended)):
            with suppress(ValueError):
                self._shell.events.unregister(name, callback)
        talk = self._session.conversation()
        self._transcript.update(talk.name, talk.turns)
        if self._widgets:
            self._leave()

    stop = close  # the session ends what is open when it ends itself

    def _build(self) -> None:
        self.kit = kit = WidgetKit()
        acts = (
            ("New", "Begin a new conversation", lambda: self._do(self._desk.begin_anew)),
            ("Undo", "Take the newest step back", lambda: self._do(self._desk.undo)),
            ("×", "Close this panel; what was said stays in the notebook", self.close),
        )
        desk = self._desk
        self._bar = Bar(
            kit, lambda name: self._do(desk.switch, name), lambda name: self._do(desk.choose_model, name), acts
        )
        self.turns = TurnList(kit, self._ask, self.wake)
        self.notice = Notice(kit)
        self.input = PromptInput(kit, lambda prompt: self._do(self._send, prompt))
        constant = kit.html(LIVE_STYLE + panel_style(self._transcript.name) + SNIPPET)
        rows = [constant, self._bar.box, self.turns.box, self.notice.widget, self.input.box]
        self.root: Any = kit.box(rows, f"ollama-magic-panel {self._transcript.name}-panel")

    def _leave(self) -> None:
        from IPython import display

        publish: Any = display.update_display
        publish({"text/html": "", "text/plain": ""}, raw=True, display_id=self._display_id)
        self.turns.close()
        self.kit.close_all()

    def _do(self, act: Callable[..., str | None], *args: Any) -> None:
        """Do what a button or a menu asks for, and say what came of it."""
        try:
            said = act(*args)
        except OllamaMagicError as error:
            self.notice.say(str(error), wrong=True)
        else:
            self.notice.say(said or "")
        self.wake()

    def _ask(self, turn: PanelTurn, prompt: str) -> None:
        turn.asked_again = True
        if turn.handle is not None:
            turn.handle.stop()
        known = self._session.journal.fold.turn(turn.number)
        self._do(self._send, prompt, known if known is not None and known.counts else None)

    def _send(self, prompt: str, instead_of: Turn | None = None) -> None:
        self.turns.sent(self._desk.send(prompt, instead_of))

    async def _first_look(self) -> None:
        self._refresh()

    async def _look(self) -> None:
        self._due = False
        if self.closed:
            return
        try:
            if self._widgets:
                self._refresh()
                await self._learn_models()
        except Exception as error:  # noqa: BLE001 (whatever a front end's library raises)
            warnings.warn(f"The panel failed ({error!r}); the conversation goes on.", DisplayFailed, stacklevel=1)
        self._copy_soon()

    def _refresh(self) -> None:
        """Everything as it is now."""
        session, talk = self._session, self._session.conversation()
        self.turns.refresh(talk, session.running())
        self._bar.talks(list(dict.fromkeys([*session.journal.fold.conversations, talk.name])), talk.name)
        told, model = talk.told("model") or "", self._model(talk)
        self._bar.models(self._models, told, "" if told else model)
        self._bar.meter(*self._fullness(talk, model))

    def _model(self, talk: Conversation) -> str:
        return talk.told("model") or self._session.settings().model or talk.told(BEGAN_WITH) or ""

    def _fullness(self, talk: Conversation, model: str) -> tuple[int, int | None]:
        """The tokens that the conversation takes, and how many there is room for."""
        used = used_by(talk.turns)
        options = {**self._session.settings().options, **(talk.told("options") or {})}
        room = options.get("num_ctx")
        if not isinstance(room, int) and used:
            with suppress(OllamaMagicError):
                known = self._session.server().windows.get(model)
                room = known.size if known is not None else None
        return used, room if isinstance(room, int) else None

    async def _learn_models(self) -> None:
        """Ask which models there are, whenever the server is another."""
        try:
            server = self._session.server()
            if server is self._server:
                return
            self._server = server
            self._models = await self._desk.models()
        except OllamaMagicError as error:
            self.notice.say(str(error), wrong=True)
        else:
            self._refresh()

    def _copy_soon(self) -> None:
        """Update the transcript a moment after the last change, when no answer is running."""
        import asyncio

        if self._awaited or self.closed:
            return
        self._awaited = True
        pause = max(REST_S, self._transcript.size / BYTES_PER_S)
        asyncio.get_running_loop().call_later(pause, self._copy)

    def _copy(self) -> None:
        self._awaited = False
        talk = self._session.conversation()
        if self.closed or any(one.reply.conversation == talk.name for one in self._session.running()):
            return  # its end wakes the panel again
        self._transcript.update(talk.name, talk.turns)

    def _cell_begins(self, info: object = None) -> None:
        """A kernel that hears nothing while a cell blocks: what is sent then waits, and the panel says so."""
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
            self.notice.wait_no_more()
        else:
            self._copy()  # at once: who runs a notebook without a page ends the kernel with its last cell
        self.wake()
