"""Tab in our magics, through the public matchers of IPython 8.6 and later. What is offered stands in `offers`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ollama_magic.completion.place import COMMAND, FIELD, PROSE, Place, call_at, place_in_line, place_in_prompt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ollama_magic.commands.command import Command
    from ollama_magic.completion.offers import Offers
    from ollama_magic.conversation.session import Session

    Found = tuple[str, list[tuple[str, str]]]  # what is replaced, and (text, kind) of each that may stand there

BELONGS_TO = "ollama_magic"


def install(shell: Any, session: Session) -> None:
    """Have IPython ask us at Tab; nothing happens where it has no such matchers (before 8.6) or no completer."""
    uninstall(shell)
    matchers = getattr(getattr(shell, "Completer", None), "custom_matchers", None)
    if matchers is None:
        return
    try:
        from IPython.core.completer import SimpleCompletion, context_matcher
    except ImportError:
        return
    tab = Tab(shell, session)

    def matcher(context: Any) -> dict[str, Any]:
        found = tab.found(context.full_text, context.cursor_line, context.cursor_position)
        if found is None:
            return {"completions": []}
        typed, words = found
        offers: Any = [SimpleCompletion(text, type=kind) for text, kind in words] or Nothing()
        return {"completions": offers, "matched_fragment": typed, "suppress": True, "ordered": True}

    made: Any = context_matcher(identifier=BELONGS_TO)(matcher)
    made.belongs_to = BELONGS_TO
    matchers.append(made)


def uninstall(shell: Any) -> None:
    """Take our matcher out again."""
    matchers = getattr(getattr(shell, "Completer", None), "custom_matchers", None)
    if matchers is not None:
        matchers[:] = [one for one in matchers if getattr(one, "belongs_to", None) != BELONGS_TO]


class Nothing:
    """No completion that counts as one: IPython hears `suppress` from a matcher that has completions only.

    The word itself would do too, but JupyterLab shows it as a menu of one.
    """

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[Any]:
        return iter(())


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
