"""`%ollama panel` and `ChatPanel()`: the notebook's side of the chat panel, which knows how its acts are done."""

from __future__ import annotations

import itertools
import uuid
from typing import TYPE_CHECKING

from ollama_magic.commands import memory, settings
from ollama_magic.commands.command import Answer, Here, alone
from ollama_magic.conversation.again import AgainRun
from ollama_magic.conversation.journal import Origin
from ollama_magic.errors import InputError
from ollama_magic.line.loaded import loaded_magics
from ollama_magic.line.options import read_line
from ollama_magic.line.planning import plan_of
from ollama_magic.line.turn_options import CHAT
from ollama_magic.panel.unwatched import Unwatched

if TYPE_CHECKING:
    from ollama_magic.conversation.handle import TurnHandle
    from ollama_magic.conversation.remembered import Turn
    from ollama_magic.conversation.session import Session
    from ollama_magic.line.loaded import LoadedMagics
    from ollama_magic.panel.panel import Panel

CHATS = "completion"


def panel(here: Here, rest: str) -> Answer:
    """A panel to chat in, under this cell; the conversation is that of the cells."""
    del here
    alone("panel", rest)
    opened = ChatPanel()
    return Answer(opened, opened)


class ChatPanel:
    """A panel to chat in: shown, it opens under the cell; the conversation is that of the notebook's cells.

    Shown twice it opens twice, and both agree.
    """

    def __init__(self) -> None:
        self._magics = _magics()
        self._open: list[Panel] = []

    def close(self) -> None:
        """Take the panel off the screen; what was said stays below, as a transcript."""
        for opened in self._open:
            opened.close()
        self._open.clear()

    def _ipython_display_(self) -> None:
        from ollama_magic.display.views import mode_for
        from ollama_magic.panel.panel import Panel

        magics = self._magics
        session, mode = magics.session, mode_for(magics.display, magics.shell)
        if mode == "text":
            print(memory.history(Here(session, mode), "").shown.text)
            return
        slot, origin = magics.cell.next_slot(), magics.cell.origin()
        _close_those_before(session, origin)
        opened = Panel(session, NotebookDesk(magics), magics.shell, slot, widgets=mode == "widget")
        opened.open()
        self._open.append(opened)
        session.kept[f"panel {slot} {origin.execution}"] = opened

    def __repr__(self) -> str:
        return f"<ChatPanel of {self._magics.session.current!r}>"


class NotebookDesk:
    """What a panel asks for, done as the commands of `%ollama` do it."""

    def __init__(self, magics: LoadedMagics) -> None:
        self._magics = magics
        self._session = magics.session
        self._here = Here(magics.session)

    def send(self, prompt: str, instead_of: Turn | None = None) -> TurnHandle:
        """Begin a turn without a cell; what stands from `instead_of` on is set aside in the same step."""
        session = self._session
        talk = session.conversation()
        aside = [instead_of, *talk.behind(instead_of)] if instead_of is not None else []
        numbers = {turn.number for turn in aside}
        for handle in session.running():
            if handle.turn is not None and handle.turn.record.number in numbers:
                handle.stop()
        run = AgainRun(session.journal, Origin(None, f"panel {uuid.uuid4().hex}"), aside)
        plan = plan_of(read_line(CHAT, "").options, prompt, self._magics, talk)
        return session.start_turn(plan, Unwatched(), conversation=talk.name, run=run)

    def undo(self) -> str:
        """Take the notebook's newest step back."""
        return _said(memory.undo(self._here, ""))

    def begin_anew(self) -> str:
        """Go on in a conversation that has no name yet."""
        known = {*self._session.journal.fold.conversations, self._session.current}
        name = next(name for number in itertools.count(2) if (name := f"chat {number}") not in known)
        return self.switch(name)

    def switch(self, name: str) -> str:
        """Go on in that conversation."""
        return _said(memory.switch(self._here, name))

    def choose_model(self, name: str) -> str:
        """Tell the conversation's model, or take back what was told."""
        if name:
            return _said(settings.model(self._here, name))
        talk = self._session.conversation()
        if talk.told("model"):
            talk.tell("model", None)
        return ""

    async def models(self) -> list[str]:
        """The installed models that can chat, newest first."""
        found = await self._session.server().client.tags()
        return [model.name for model in found if model.capabilities is None or CHATS in model.capabilities]


def _close_those_before(session: Session, origin: Origin) -> None:
    """A cell that runs again has other outputs: the panels of its earlier runs are shown nowhere any more."""
    mine = f"panel {origin.cell}/"
    for key in [key for key in session.kept if key.startswith(mine) and not key.endswith(f" {origin.execution}")]:
        session.kept.pop(key).stop()


def _said(answer: Answer) -> str:
    return getattr(answer.shown, "text", "")


def _magics() -> LoadedMagics:
    magics = loaded_magics()
    if magics is None:
        raise InputError("A panel needs the extension; run `%load_ext ollama_magic` first.")
    return magics
