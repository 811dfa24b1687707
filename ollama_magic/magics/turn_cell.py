"""`%%chat` and `%%generate`: from a cell to its answer, or to a turn in the background."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ollama_magic.conversation.group_handle import GroupHandle
from ollama_magic.conversation.pairing import paired
from ollama_magic.errors import InputError, TurnStopped
from ollama_magic.foreign import repaired
from ollama_magic.line.hook import prompt_text
from ollama_magic.line.planning import check_columns, labels_of, plan_of, tools_of
from ollama_magic.line.stray_options import options_below
from ollama_magic.line.turn_options import CHAT, GENERATE, LINE_CHAT, LINE_GENERATE
from ollama_magic.magics.attaching import with_attachments
from ollama_magic.magics.cell_columns import answer_of, check_values, start_columns
from ollama_magic.magics.filling import Filler, fill_limit
from ollama_magic.magics.typed_values import check_binding
from ollama_magic.turns.wording import counted

if TYPE_CHECKING:
    from ollama_magic.conversation.handle import TurnHandle
    from ollama_magic.conversation.reply import Reply
    from ollama_magic.conversation.request import Plan
    from ollama_magic.conversation.session import Session
    from ollama_magic.line.options import Line
    from ollama_magic.line.spec import Spec


class TurnCell:
    """Runs one cell, or one line, with a turn for the magics that it belongs to."""

    def __init__(self, magics: Any) -> None:
        self._magics, self._shell = magics, magics.shell
        self._session: Session = magics.session

    def chat(self, line: str, cell: str | None) -> Reply | list[Reply] | None:
        """Take one turn of the conversation; return the reply, or those of several models, if that is assigned."""
        return self._answer(LINE_CHAT if cell is None else CHAT, line, cell)

    def generate(self, line: str, cell: str | None) -> Reply | list[Reply] | None:
        """Ask for one answer to one prompt; return it as `chat` does."""
        return self._answer(LINE_GENERATE if cell is None else GENERATE, line, cell)

    def ask_about(self, kind: Any, words: str) -> Reply | list[Reply]:
        """Run a turn about the last cell."""
        from ollama_magic.magics.cell_question import question_about

        with self._magics.cell_events.refusals():
            filler = self._filler()
            asked = filler.read(LINE_CHAT, "--verbatim")
            question = question_about(kind, words, self._magics.last_cells, self._shell, self._session.mask)
            filler.notes.append(question.note)
            return answer_of(self._ask(LINE_CHAT, replace(asked, words=question.prompt), None, filler))

    def _answer(self, spec: Spec, line: str, cell: str | None) -> Reply | list[Reply] | None:
        with self._magics.cell_events.refusals():
            filler = self._filler()
            asked = filler.read(spec, repaired(line))
            if asked.options.help:
                print(spec.help())
                return None
            handle = self._ask(spec, asked, cell, filler)
        if not asked.options.background:
            if isinstance(handle, GroupHandle):
                check_values(handle, asked.options)
            else:
                self._magics.values.bind(handle.reply, asked.options)
        return answer_of(handle) if asked.assigned else None

    def _ask(self, spec: Spec, asked: Line, cell: str | None, filler: Filler) -> TurnHandle | GroupHandle:
        """Run one turn to its end, or start a background turn."""
        before = set(self._session.running())
        try:
            handle = self._start(spec, asked, cell, filler)
            if asked.options.out:
                self._shell.user_ns[asked.options.out] = answer_of(handle)
            if not asked.options.background:
                handle.wait()
        except TurnStopped:
            raise
        except KeyboardInterrupt:  # ■ before the wait, or a second one within it
            started = set(self._session.running()) - before
            with suppress(KeyboardInterrupt):
                self._session.stop(started)
            outcome = "the text so far is kept" if started else "nothing was sent"
            raise TurnStopped(f"Stopped; {outcome}.") from None
        return handle

    def _start(self, spec: Spec, asked: Line, cell: str | None, filler: Filler) -> TurnHandle | GroupHandle:
        from ollama_magic.display.views import open_view

        typed = prompt_text(asked.words, cell)
        if not typed.strip():
            raise InputError(f"There is no prompt: write one {'after' if cell is None else 'below'} `{spec.name}`.")
        name, origin = asked.options.conversation, self._magics.cell.origin()
        columns = paired(asked.options.models or (), asked.options.hosts or ())
        answer_format = filler.answer_format(asked.options.format)
        check_binding(asked.options)
        asked_in = self._session.conversation(name)
        tools = tools_of(asked.options, asked_in, lambda: filler.variables)
        if len(columns) > 1:
            check_columns(asked.options, tools)
        plan = plan_of(asked.options, typed, self._magics, asked_in, answer_format, tools)
        if not asked.options.verbatim:
            plan = replace(plan, prompt=filler.prompt(typed, fill_limit(self._magics.fill_chars, plan.options)))
        plan, attached = with_attachments(plan, asked.options, filler, self._magics, self._magics.cell_events.displayed)
        slot, conversation = self._magics.cell.next_slot(), name or self._session.current
        labels = labels_of(plan, typed, slot, conversation, whole_cell=cell is not None)
        notes = (*filler.notes, *attached, *options_below(spec, cell or ""), *self._left_out(plan, asked, origin.cell))
        if len(columns) > 1:
            return start_columns(self._magics, plan, columns, labels, notes, asked.options)
        waited, host = not asked.options.background, columns[0][1]
        view = open_view(self._magics.mode(), labels, self._magics.footer, background=asked.options.background)
        return self._session.start_turn(
            plan, view, origin, conversation=name, host=host, before=notes, waited_for=waited
        )

    def _left_out(self, plan: Plan, asked: Line, cell: str | None) -> tuple[str, ...]:
        """Return the note about turns that `--turns`, or the setting, leaves out."""
        if plan.turns is None or plan.once:
            return ()
        left = max(0, len(self._session.conversation(asked.options.conversation).above(cell)) - plan.turns)
        why = "--turns" if asked.options.turns is not None else "OllamaMagic.turns"
        return (f"{counted(left, 'earlier turn')} left out by {why}",) if left else ()

    def _filler(self) -> Filler:
        return Filler(self._shell.user_ns, self._session.mask, self._magics.values.written)
