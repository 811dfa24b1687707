"""Finds the completions at a position of a cell."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ollama_magic.completion.cursor import COMMAND, FIELD, PROSE, Cursor, call_at, cursor_in_line, cursor_in_prompt
from ollama_magic.line.spec import Spec

if TYPE_CHECKING:
    from ollama_magic.completion.offers import Offers
    from ollama_magic.conversation.session import Session

    Found = tuple[str, list[tuple[str, str]]]  # the text to replace, and (text, kind) of each completion

NOTHING = Spec("", "")  # without options and arguments


class Tab:
    """Completes our magics in a shell."""

    def __init__(self, shell: Any, session: Session) -> None:
        self._shell, self._session = shell, session
        self._made: Offers | None = None

    def found(self, text: str, row: int, column: int) -> Found | None:
        """Return the completions at a position of a cell; None outside of our magics."""
        began = time.monotonic()
        rows = text.split("\n")[: row + 1]
        call = call_at("\n".join([*rows[:-1], rows[-1][:column]]), self._ours)
        if call is None:
            return None
        self._offers.names.begin(began)
        self._offers.names.warm()
        cursor, spec = self._cursor(call.name, call.line, call.body)
        if cursor.kind == FIELD:
            return self._fields(cursor.typed)
        return self._offers.at(cursor, spec)

    @property
    def _offers(self) -> Offers:
        if self._made is None:  # imported by the first Tab, not while loading
            from ollama_magic.completion.offers import Offers

            self._made = Offers(self._session, self._shell.user_ns, self._shell.user_ns_hidden)
        return self._made

    def _ours(self, kind: str, name: str) -> bool:
        function = self._shell.magics_manager.magics[kind].get(name)
        return str(getattr(function, "__module__", "")).startswith("ollama_magic.")

    def _cursor(self, name: str, line: str, body: str | None) -> tuple[Cursor, Spec]:
        from ollama_magic.commands.command_table import COMMANDS
        from ollama_magic.line.map_options import MAP
        from ollama_magic.line.turn_options import MAGICS

        if name != "ollama":
            spec = MAP if name == "map" else MAGICS[name]
            return cursor_in_prompt(body) if body is not None else cursor_in_line(spec, line), spec
        word, space, rest = line.lstrip().partition(" ")
        if not space:
            return Cursor(COMMAND, word), NOTHING
        if word not in COMMANDS:
            return Cursor(PROSE, rest.rpartition(" ")[2]), NOTHING
        spec = COMMANDS[word].spec
        return cursor_in_line(spec, rest), spec

    def _fields(self, typed: str) -> Found:
        from ollama_magic.completion.field_names import fields

        end, names = fields(typed, self._shell.user_ns, self._shell.user_ns_hidden)
        return end, [(name, "variable") for name in names]
