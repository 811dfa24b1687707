"""Dialogues with tools for the tests: what a real server said, and what the scripted server makes of it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tests.double import PLAIN, SMALL, Call, Delta, ScriptedServer
from tests.shells import loaded_shell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def call(name: str, /, **arguments: object) -> Delta:
    """A chunk with one call."""
    return Delta(calls=(Call(name, arguments),))


def rounds(*answers: list[Any]) -> Callable[[dict[str, Any]], list[Any]]:
    """Give the answers in their order, beginning anew with each prompt; the last one stays."""

    def answer(body: dict[str, Any]) -> list[Any]:
        roles = [message["role"] for message in body["messages"]]
        since = roles[len(roles) - roles[::-1].index("user") :]
        return answers[min(since.count("assistant"), len(answers) - 1)]

    return answer


@contextmanager
def shell_with(*answers: list[Any], **options: Any) -> Iterator[tuple[Any, ScriptedServer]]:
    """A shell whose server gives these answers, round by round."""
    with (
        ScriptedServer(pace=0, models=[SMALL, PLAIN], answers=rounds(*answers), **options) as server,
        loaded_shell() as shell,
    ):
        shell.run_line_magic("config", f"OllamaMagic.host = {server.url!r}")
        yield shell, server
