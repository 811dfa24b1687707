"""Shells against scripted servers: what a person typed in the field, and what they saw."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from ollama_magic.functions import sessions
from tests.field.field_server import FieldServer
from tests.shells import loaded_shell, run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.field.field_server import Scripted


@dataclass
class Seen:
    """One cell: what it printed, and the error that ended it, as one text to read."""

    printed: str
    error: BaseException | None

    @property
    def text(self) -> str:
        return self.printed + (str(self.error) if self.error else "")


class Person:
    """Types cells into a shell with the extension, and reads what comes."""

    def __init__(self, shell: Any, server: FieldServer) -> None:
        self.shell, self.server = shell, server
        self.names = shell.user_ns

    def types(self, *cells: str) -> Seen:
        """Run cells; what the last one showed."""
        for cell in cells:
            seen = Seen(*run(self.shell, cell.replace("HOST", self.server.host).replace("PORT", str(self.server.port))))
        return seen

    def asked(self, *cells: str) -> list[str]:
        """The prompts that cells sent; each cell has to end well."""
        before = len(self.server.bodies)
        for cell in cells:
            seen = self.types(cell)
            assert seen.error is None, seen.text
        return self.server.prompts[before:]

    def refused(self, cell: str) -> str:
        """The one line that refuses a cell, which sends nothing."""
        before = len(self.server.bodies)
        seen = self.types(cell)
        assert type(seen.error).__module__ == "ollama_magic.errors", seen
        assert len(self.server.bodies) == before
        assert "\n" not in str(seen.error)
        return str(seen.error)

    def failed(self, cell: str) -> str:
        """The one line that a failed cell shows."""
        seen = self.types(cell)
        assert type(seen.error).__module__ == "ollama_magic.errors", seen
        assert "\n" not in str(seen.error)
        return str(seen.error)

    @property
    def body(self) -> dict[str, Any]:
        """The last turn that arrived."""
        return self.server.bodies[-1]


@pytest.fixture
def open_shell(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Person]]:
    """Makes a person before a shell and a server that answers as scripted."""
    with contextlib.ExitStack() as stack:

        def begin(*, every: Scripted | None = None, **scripts: list[Scripted]) -> Person:
            server = stack.enter_context(FieldServer(every=every, **scripts))
            monkeypatch.setenv("OLLAMA_HOST", server.host)
            return Person(stack.enter_context(loaded_shell()), server)

        yield begin
    if sessions._own_session.cache_info().currsize:
        sessions._own_session().close()
        sessions._own_session.cache_clear()


@pytest.fixture
def person(open_shell: Callable[..., Person]) -> Person:
    """A person whose server answers well."""
    return open_shell()
