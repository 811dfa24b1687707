"""The magics: parse, call, show. `traits` has their settings, `loading` registers them."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, cell_magic, line_cell_magic, line_magic, magics_class, no_var_expand
from IPython.display import display
from traitlets import observe

from ollama_magic.commands.command import CommandContext
from ollama_magic.commands.command_table import run_command, usage
from ollama_magic.conversation.group_handle import GroupHandle
from ollama_magic.conversation.session import Session
from ollama_magic.conversation.side_by_side import paired
from ollama_magic.errors import InputError, TurnStopped
from ollama_magic.foreign import repaired
from ollama_magic.line.cell import Cell
from ollama_magic.line.hook import prompt_text, split_assigned
from ollama_magic.line.loaded import LoadedMagics
from ollama_magic.line.map_options import MAP
from ollama_magic.line.planning import check_columns, labels_of, plan_of, tools_of
from ollama_magic.line.stray_options import options_below
from ollama_magic.line.turn_options import CHAT, GENERATE, LINE_CHAT, LINE_GENERATE
from ollama_magic.magics.attaching import with_attachments
from ollama_magic.magics.cell_columns import answer_of, check_values, start_columns
from ollama_magic.magics.cell_events import CellEvents
from ollama_magic.magics.filling import Filler, fill_limit
from ollama_magic.magics.free_kernel import when_free
from ollama_magic.magics.last_cells import LastCells
from ollama_magic.magics.next_input import insert_cell
from ollama_magic.magics.typed_values import TypedValues, check_binding
from ollama_magic.turns.wording import counted

if TYPE_CHECKING:
    from ollama_magic.conversation.handle import TurnHandle
    from ollama_magic.conversation.reply import Reply
    from ollama_magic.conversation.request import Plan
    from ollama_magic.line.options import Line
    from ollama_magic.line.spec import Spec


@magics_class
class OllamaMagic(LoadedMagics, Magics):
    """Settings of ollama_magic; options of a turn and settings of the conversation override them."""

    def __init__(self, shell: Any, **kwargs: Any) -> None:
        super().__init__(shell, **kwargs)
        self.shell: Any = shell
        self.session = Session(self._settings)
        self.cell = Cell(shell)
        self.cell_events = CellEvents(shell, self.session, self.cell, lambda: self.footer)
        self.last_cells = LastCells(shell)
        self.values = TypedValues(shell)
        self.session.main.schedule = when_free(shell)
        self.displaced: dict[tuple[str, str], Any] = {}

    @no_var_expand
    @line_cell_magic
    def chat(self, line: str, cell: str | None = None) -> Reply | list[Reply] | None:
        """One turn of the conversation."""
        return self._answer(LINE_CHAT if cell is None else CHAT, line, cell)

    chat.__doc__ = CHAT.help()

    @no_var_expand
    @line_cell_magic
    def generate(self, line: str, cell: str | None = None) -> Reply | list[Reply] | None:
        """One answer to one prompt."""
        return self._answer(LINE_GENERATE if cell is None else GENERATE, line, cell)

    generate.__doc__ = GENERATE.help()

    @no_var_expand
    @cell_magic
    def map(self, line: str, cell: str) -> None:
        """One answer for each row."""
        from ollama_magic.magics.map_cell import MapCell

        with self.cell_events.refusals():
            MapCell(self).run(line, cell)

    map.__doc__ = MAP.help()  # noqa: A003 (the magic's name)

    @no_var_expand
    @line_magic
    def ollama(self, line: str) -> Any:
        """Everything except chatting."""
        assigned, line = split_assigned(repaired(line))
        filler = Filler(self.shell.user_ns, self._mask, self.values.written)
        insert = None if assigned else partial(insert_cell, self.shell)
        try:
            answer = run_command(CommandContext(self.session, self.mode(), filler, insert, self._ask_about), line)
        except TurnStopped:
            raise
        except KeyboardInterrupt:
            raise TurnStopped("Stopped; the command was not completed.") from None
        for note in filler.unfilled:
            print(note)
        if assigned:
            return answer.data
        if answer.shown is not None:
            display(answer.shown)  # type: ignore[no-untyped-call]
        return None

    ollama.__doc__ = usage()

    @observe("store", "notebook")
    def _persistence_changed(self, change: Any) -> None:
        del change
        if hasattr(self, "session"):
            self.session.stop_persisting()
            if self.store:
                self.resume()

    def resume(self) -> None:
        """Continue from the stored turns of this notebook, and say in one line what they are."""
        from ollama_magic.magics.resume import resume

        resume(self.session, self.shell, self)

    def _answer(self, spec: Spec, line: str, cell: str | None) -> Reply | list[Reply] | None:
        with self.cell_events.refusals():
            filler = Filler(self.shell.user_ns, self._mask, self.values.written)
            asked = filler.read(spec, repaired(line))
            if asked.options.help:
                print(spec.help())
                return None
            handle = self._ask(spec, asked, cell, filler)
        if not asked.options.background:
            if isinstance(handle, GroupHandle):
                check_values(handle, asked.options)
            else:
                self.values.bind(handle.reply, asked.options)
        return answer_of(handle) if asked.assigned else None

    def _ask(self, spec: Spec, asked: Line, cell: str | None, filler: Filler) -> TurnHandle | GroupHandle:
        """Run one turn to its end, or start a background turn."""
        before = set(self.session.running())
        try:
            handle = self._start(spec, asked, cell, filler)
            if asked.options.out:
                self.shell.user_ns[asked.options.out] = answer_of(handle)
            if not asked.options.background:
                handle.wait()
        except TurnStopped:
            raise
        except KeyboardInterrupt:  # ■ before the wait, or a second one within it
            started = set(self.session.running()) - before
            with suppress(KeyboardInterrupt):
                self.session.stop(started)
            outcome = "the text so far is kept" if started else "nothing was sent"
            raise TurnStopped(f"Stopped; {outcome}.") from None
        return handle

    def _ask_about(self, kind: Any, words: str) -> Reply | list[Reply]:
        """Run a turn about the last cell."""
        from ollama_magic.magics.cell_question import question_about

        with self.cell_events.refusals():
            filler = Filler(self.shell.user_ns, self._mask, self.values.written)
            asked = filler.read(LINE_CHAT, "--verbatim")
            question = question_about(kind, words, self.last_cells, self.shell, self._mask)
            filler.notes.append(question.note)
            return answer_of(self._ask(LINE_CHAT, replace(asked, words=question.prompt), None, filler))

    def _start(self, spec: Spec, asked: Line, cell: str | None, filler: Filler) -> TurnHandle | GroupHandle:
        from ollama_magic.display.views import open_view

        typed = prompt_text(asked.words, cell)
        if not typed.strip():
            raise InputError(f"There is no prompt: write one {'after' if cell is None else 'below'} `{spec.name}`.")
        name, origin = asked.options.conversation, self.cell.origin()
        columns = paired(asked.options.models or (), asked.options.hosts or ())
        answer_format = filler.answer_format(asked.options.format)
        check_binding(asked.options)
        asked_in = self.session.conversation(name)
        tools = tools_of(asked.options, asked_in, lambda: filler.variables)
        if len(columns) > 1:
            check_columns(asked.options, tools)
        plan = plan_of(asked.options, typed, self, asked_in, answer_format, tools)
        if not asked.options.verbatim:
            plan = replace(plan, prompt=filler.prompt(typed, fill_limit(self.fill_chars, plan.options)))
        plan, attached = with_attachments(plan, asked.options, filler, self, self.cell_events.displayed)
        slot, conversation = self.cell.next_slot(), name or self.session.current
        labels = labels_of(plan, typed, slot, conversation, whole_cell=cell is not None)
        notes = (*filler.notes, *attached, *options_below(spec, cell or ""), *self._left_out(plan, asked, origin.cell))
        if len(columns) > 1:
            return start_columns(self, plan, columns, labels, notes, asked.options)
        waited, host = not asked.options.background, columns[0][1]
        view = open_view(self.mode(), labels, self.footer, background=asked.options.background)
        return self.session.start_turn(
            plan, view, origin, conversation=name, host=host, before=notes, waited_for=waited
        )

    def _left_out(self, plan: Plan, asked: Line, cell: str | None) -> tuple[str, ...]:
        """Return the note about turns that `--turns`, or the setting, leaves out."""
        if plan.turns is None or plan.once:
            return ()
        left = max(0, len(self.session.conversation(asked.options.conversation).above(cell)) - plan.turns)
        why = "--turns" if asked.options.turns is not None else "OllamaMagic.turns"
        return (f"{counted(left, 'earlier turn')} left out by {why}",) if left else ()

    def _mask(self, text: str) -> str:
        return self.session.secrets().mask(text)

    def mode(self) -> str:
        """Return how this front end shows answers: "widget", "html" or "text"."""
        from ollama_magic.display.views import mode_for

        return mode_for(self.display, self.shell)
