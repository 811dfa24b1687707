"""What Tab finds at a place of a cell: where the place is, and what is offered there."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ollama_magic.completion.place import COMMAND, FIELD, PROSE, Place, call_at, place_in_line, place_in_prompt

if TYPE_CHECKING:
    from ollama_magic.commands.command import Command
    from ollama_magic.completion.offers import Offers
    from ollama_magic.conversation.session import Session

    Found = tuple[str, list[tuple[str, str]]]  # what is replaced, and (text, kind) of each that may stand there


class Tab:
    """What a shell's Tab finds in our magics."""

    def __init__(self, shell: Any, session: Session) -> None:
        self._shell, self._session = shell, session
        self._made: Offers | None = None

    def found(self, text: str, row: int, column: int) -> Found | None:
        """What may stand at a place of a cell; None outside of our magics, where IPython goes on by itself."""
        began = time.monotonic()
        rows = text.split("\n")[: row + 1]
        call = call_at("\n".join([*rows[:-1], rows[-1][:column]]), self._ours)
        if call is None:
            return None
        self._offers.names.begin(began)
        self._offers.names.warm()
        place, command = self._place(call.name, call.line, call.body)
        if place.kind == FIELD:
            typed, found = self._fields(place.typed)
        else:
            typed, found = self._offers.at(place, command)
        return typed, found

    @property
    def _offers(self) -> Offers:
        if self._made is None:  # the first Tab pays for the imports, not the loading
            from ollama_magic.completion.offers import Offers

            self._made = Offers(self._session)
        return self._made

    def _ours(self, kind: str, name: str) -> bool:
        function = self._shell.magics_manager.magics[kind].get(name)
        return str(getattr(function, "__module__", "")).startswith("ollama_magic.")

    def _place(self, name: str, line: str, body: str | None) -> tuple[Place, Command | None]:
        from ollama_magic.completion.offers import command_named, command_options, magic_options

        if body is not None:
            return place_in_prompt(body), None
        if name != "ollama":
            return place_in_line(magic_options(name), line, prompt=True), None
        word, space, rest = line.lstrip().partition(" ")
        if not space:
            return Place(COMMAND, word), None
        command = command_named(word)
        if command is None:
            return Place(PROSE, rest.rpartition(" ")[2]), None
        return place_in_line(command_options(command), rest, prompt=False), command

    def _fields(self, typed: str) -> Found:
        from ollama_magic.completion.fields import fields

        end, names = fields(typed, self._shell.user_ns, self._shell.user_ns_hidden)
        return end, [(name, "variable") for name in names]
