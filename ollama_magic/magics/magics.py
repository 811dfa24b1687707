"""The magics: parse, call, show. Their settings stand in `traits`, how they come and go in `loading`."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, line_cell_magic, line_magic, magics_class, no_var_expand
from IPython.display import display
from traitlets import observe

from ollama_magic.commands.command import Here
from ollama_magic.commands.table import run_command, usage
from ollama_magic.conversation.session import Session
from ollama_magic.errors import InputError, TurnStopped
from ollama_magic.line.cell import Cell
from ollama_magic.line.hook import prompt_text, split_assigned
from ollama_magic.line.loaded import LoadedMagics
from ollama_magic.line.options import read_line
from ollama_magic.line.planning import labels_of, plan_of
from ollama_magic.line.turn_options import CHAT, GENERATE, LINE_CHAT, LINE_GENERATE
from ollama_magic.magics.cell_events import CellEvents

if TYPE_CHECKING:
    from ollama_magic.conversation.handle import TurnHandle
    from ollama_magic.conversation.reply import Reply
    from ollama_magic.conversation.request import Plan
    from ollama_magic.line.options import Line
    from ollama_magic.line.spec import Spec


@magics_class
class OllamaMagic(LoadedMagics, Magics):
    """Settings of ollama_magic; an option of a turn, and what `%ollama` tells the conversation, are stronger."""

    def __init__(self, shell: Any, **kwargs: Any) -> None:
        super().__init__(shell, **kwargs)
        self.shell: Any = shell
        self.session = Session(self._settings)
        self.cell = Cell(shell)
        self.cell_events = CellEvents(shell, self.session, self.cell, lambda: self.footer)
        self.displaced: dict[tuple[str, str], Any] = {}

    @no_var_expand
    @line_cell_magic
    def chat(self, line: str, cell: str | None = None) -> Reply | None:
        """One turn of the conversation."""
        return self._answer(LINE_CHAT if cell is None else CHAT, line, cell)

    chat.__doc__ = CHAT.help()

    @no_var_expand
    @line_cell_magic
    def generate(self, line: str, cell: str | None = None) -> Reply | None:
        """One answer to one prompt."""
        return self._answer(LINE_GENERATE if cell is None else GENERATE, line, cell)

    generate.__doc__ = GENERATE.help()

    @no_var_expand
    @line_magic
    def ollama(self, line: str) -> Any:
        """Everything beside chatting."""
        assigned, line = split_assigned(line)
        try:
            answer = run_command(Here(self.session, self._mode()), line)
        except TurnStopped:
            raise
        except KeyboardInterrupt:
            raise TurnStopped("Stopped; the command did not come to its end.") from None
        if assigned:
            return answer.data
        if answer.shown is not None:
            display(answer.shown)  # type: ignore[no-untyped-call]
        return None

    ollama.__doc__ = usage()

    @observe("store", "notebook")
    def _keep_as_told(self, change: Any) -> None:
        del change
        if hasattr(self, "session"):
            self.session.stop_keeping()
            if self.store:
                self.begin_keeping()

    def begin_keeping(self) -> None:
        """Go on from what the store has of this notebook, and say in one line what that is."""
        from ollama_magic.magics.keeping import begin

        begin(self.session, self.shell, self)

    def _answer(self, spec: Spec, line: str, cell: str | None) -> Reply | None:
        with self.cell_events.refusals():
            asked = read_line(spec, line)
            if asked.options.help:
                print(spec.help())
                return None
            handle = self._ask(spec, asked, cell)
        return handle.reply if asked.assigned else None

    def _ask(self, spec: Spec, asked: Line, cell: str | None) -> TurnHandle:
        """One turn, from its options to its end; a background turn to its start."""
        before = set(self.session.running())
        try:
            handle = self._start(spec, asked, cell)
            if asked.options.out:
                self.shell.user_ns[asked.options.out] = handle.reply
            if not asked.options.background:
                handle.wait()
        except TurnStopped:
            raise
        except KeyboardInterrupt:  # ■ before the wait, or a second one within it
            started = set(self.session.running()) - before
            with suppress(KeyboardInterrupt):
                self.session.stop(started)
            kept = "what had come is kept" if started else "nothing was sent"
            raise TurnStopped(f"Stopped; {kept}.") from None
        return handle

    def _start(self, spec: Spec, asked: Line, cell: str | None) -> TurnHandle:
        from ollama_magic.display.views import open_view

        typed = prompt_text(asked.words, cell)
        if not typed.strip():
            raise InputError(f"There is no prompt: write one {'behind' if cell is None else 'under'} `{spec.name}`.")
        prompt, notes = self._filled(asked, typed)
        name, host, origin = asked.options.conversation, asked.options.host, self.cell.origin()
        plan = plan_of(asked.options, prompt, self, self.session.conversation(name))
        slot, talk = self.cell.next_slot(), name or self.session.current
        labels = labels_of(plan, typed, slot, talk, whole_cell=cell is not None)
        view = open_view(self._mode(), labels, self.footer, background=asked.options.background)
        notes = (*notes, *self._left_out(plan, asked, origin.cell))
        return self.session.start_turn(plan, view, origin, conversation=name, host=host, before=notes)

    def _left_out(self, plan: Plan, asked: Line, cell: str | None) -> tuple[str, ...]:
        """The note that says which turns `--turns`, or the setting, keeps from being sent."""
        if plan.turns is None or plan.once:
            return ()
        left = max(0, len(self.session.conversation(asked.options.conversation).above(cell)) - plan.turns)
        why = "--turns" if asked.options.turns is not None else "OllamaMagic.turns"
        return (f"{left} earlier turn{'s' * (left != 1)} left out by {why}",) if left else ()

    def _filled(self, asked: Line, typed: str) -> tuple[str, tuple[str, ...]]:
        if asked.options.verbatim or "{{" not in typed:
            return typed, ()
        from ollama_magic.prompt.fill import fill

        filled = fill(typed, self.shell.user_ns, self.session.secrets().mask)
        return filled.text, filled.notes

    def _mode(self) -> str:
        from ollama_magic.display.views import mode_for

        return mode_for(self.display, self.shell)
