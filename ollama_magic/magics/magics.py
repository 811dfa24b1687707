"""The magics: each calls the module that does it, imported at its first use. `loading` registers them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, cell_magic, line_cell_magic, line_magic, magics_class, no_var_expand
from traitlets import observe

from ollama_magic.conversation.session import Session
from ollama_magic.line.cell import Cell
from ollama_magic.line.loaded import LoadedMagics
from ollama_magic.magics import magic_help
from ollama_magic.magics.cell_events import CellEvents
from ollama_magic.magics.free_kernel import when_free
from ollama_magic.magics.last_cells import LastCells
from ollama_magic.magics.typed_values import TypedValues

if TYPE_CHECKING:
    from ollama_magic.conversation.reply import Reply


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

    @magic_help.on_demand(magic_help.of_chat)
    @no_var_expand
    @line_cell_magic
    def chat(self, line: str, cell: str | None = None) -> Reply | list[Reply] | None:
        """One turn of the conversation."""
        from ollama_magic.magics.turn_cell import TurnCell

        return TurnCell(self).chat(line, cell)

    @magic_help.on_demand(magic_help.of_generate)
    @no_var_expand
    @line_cell_magic
    def generate(self, line: str, cell: str | None = None) -> Reply | list[Reply] | None:
        """One answer to one prompt."""
        from ollama_magic.magics.turn_cell import TurnCell

        return TurnCell(self).generate(line, cell)

    @magic_help.on_demand(magic_help.of_map)
    @no_var_expand
    @cell_magic
    def map(self, line: str, cell: str) -> None:
        """One answer for each row."""
        from ollama_magic.magics.map_cell import MapCell

        with self.cell_events.refusals():
            MapCell(self).run(line, cell)

    @magic_help.on_demand(magic_help.of_ollama)
    @no_var_expand
    @line_magic
    def ollama(self, line: str) -> Any:
        """Everything except chatting."""
        from ollama_magic.magics.command_line import run_line

        return run_line(self, line)

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

    def mode(self) -> str:
        """Return how this front end shows answers: "widget", "html" or "text"."""
        from ollama_magic.display.views import mode_for

        return mode_for(self.display, self.shell)
