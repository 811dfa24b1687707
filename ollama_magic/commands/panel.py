"""`%ollama panel` and `ChatPanel()`: the chat panel in a notebook, and its actions."""

from __future__ import annotations

import itertools
import shlex
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ollama_magic.commands import memory, settings_commands
from ollama_magic.commands.command import CommandContext, CommandResult, command
from ollama_magic.conversation.cell_run import Origin, RetryRun
from ollama_magic.conversation.choice import choose
from ollama_magic.conversation.record import older_note
from ollama_magic.errors import InputError
from ollama_magic.line.loaded import loaded_magics
from ollama_magic.line.options import read_line
from ollama_magic.line.planning import plan_of, tools_of
from ollama_magic.line.turn_options import CHAT
from ollama_magic.panel.null_view import NullView

if TYPE_CHECKING:
    from ollama_magic.conversation.handle import TurnHandle
    from ollama_magic.conversation.session import Session
    from ollama_magic.line.loaded import LoadedMagics
    from ollama_magic.panel.panel_view import Panel
    from ollama_magic.turns.attachment import Attachment
    from ollama_magic.turns.turn_value import Turn

CHATS = "completion"


@command("panel", "conversation", "Open a chat panel for the conversation of the cells.")
def panel(context: CommandContext, arguments: Any) -> CommandResult:
    """Open a chat panel under this cell, for the conversation of the cells."""
    del context, arguments
    opened = ChatPanel()
    return CommandResult(opened, opened)


class ChatPanel:
    """A chat panel for the conversation of the notebook's cells; displaying it opens it under the cell.

    It may be displayed more than once.
    """

    def __init__(self) -> None:
        self._magics = _magics()
        self._open: list[Panel] = []

    def close(self) -> None:
        """Close the panel; a transcript stays in its place."""
        for opened in self._open:
            opened.close()
        self._open.clear()

    def _ipython_display_(self) -> None:
        from ollama_magic.display.views import mode_for
        from ollama_magic.panel.panel_view import Panel

        magics = self._magics
        session, mode = magics.session, mode_for(magics.display, magics.shell)
        if mode == "text":
            print(memory.history(CommandContext(session, mode)).shown.text)
            return
        slot, origin = magics.cell.next_slot(), magics.cell.origin()
        _close_earlier(session, origin)
        opened = Panel(session, NotebookActions(magics), magics.shell, slot, widgets=mode == "widget")
        opened.open()
        self._open.append(opened)
        session.owned_resources[f"panel {slot} {origin.execution}"] = opened

    def __repr__(self) -> str:
        return f"<ChatPanel of {self._magics.session.current!r}>"


class NotebookActions:
    """The actions of a panel, which work like the commands of `%ollama`."""

    def __init__(self, magics: LoadedMagics) -> None:
        self._magics = magics
        self._session = magics.session
        self._context = CommandContext(magics.session)

    def send(self, prompt: str, instead_of: Turn | None = None, attachments: tuple[Attachment, ...] = ()) -> TurnHandle:
        """Start a turn without a cell; the turns from `instead_of` on are set aside in the same step."""
        session = self._session
        conversation = session.conversation()
        options = read_line(CHAT, "").options
        tools = tools_of(options, conversation, lambda: self._magics.shell.user_ns)
        aside = [instead_of, *conversation.behind(instead_of)] if instead_of is not None else []
        numbers = {turn.number for turn in aside}
        for handle in session.running():
            if handle.turn.record.number in numbers:
                handle.stop()
        run = RetryRun(session.journal, Origin(None, f"panel {uuid.uuid4().hex}"), aside)
        plan = plan_of(options, prompt, self._magics, conversation, tools=tools)
        plan = replace(plan, attachments=attachments)
        return session.start_turn(plan, NullView(), conversation=conversation.name, run=run)

    def keep(self, turn: Turn, column: Turn) -> str:
        """Remember one of a turn's alternatives instead of it."""
        older = choose(self._session, turn, column)
        return older_note(older) if older else ""

    def undo(self) -> str:
        """Undo the notebook's newest step."""
        return _said(memory.undo(self._context))

    def begin_anew(self) -> str:
        """Continue in a new conversation."""
        known = {*self._session.journal.conversations(), self._session.current}
        name = next(name for number in itertools.count(2) if (name := f"chat {number}") not in known)
        return self.switch(name)

    def switch(self, name: str) -> str:
        """Continue in that conversation."""
        return _said(memory.switch(self._context, f"-- {shlex.quote(name)}"))

    def choose_model(self, name: str) -> str:
        """Set the conversation's model; an empty name removes the setting."""
        if name:
            return _said(settings_commands.model(self._context, shlex.quote(name)))
        conversation = self._session.conversation()
        if conversation.setting("model"):
            conversation.set_setting("model", None)
        return ""

    async def models(self) -> list[str]:
        """The installed models that can chat, newest first."""
        found = await self._session.server().client.tags()
        return [model.name for model in found if model.capabilities is None or CHATS in model.capabilities]


def _close_earlier(session: Session, origin: Origin) -> None:
    """Close the panels of earlier runs of this cell, whose outputs are gone."""
    mine = f"panel {origin.cell}/"
    for key in [
        key for key in session.owned_resources if key.startswith(mine) and not key.endswith(f" {origin.execution}")
    ]:
        session.owned_resources.pop(key).stop()


def _said(answer: CommandResult) -> str:
    return getattr(answer.shown, "text", "")


def _magics() -> LoadedMagics:
    magics = loaded_magics()
    if magics is None:
        raise InputError("A panel needs the extension; run `%load_ext ollama_magic` first.")
    return magics
