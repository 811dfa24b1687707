"""The functions in a real kernel: the user's own loop on the kernel's loop, and ■."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.answers import chats, paragraphs, words
from tests.kernel.conftest import kernel, spare_kernels  # noqa: F401 - fixtures

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.double import ScriptedServer
    from tests.kernel.kernel import Kernel

LONG = words(paragraphs(400))


def test_async_for_in_a_cell(demo_server: Callable[..., ScriptedServer], kernel: Callable[..., Kernel]) -> None:  # noqa: F811
    """`async for`, `await` and a blocking call work in one cell, with the extension and without it."""
    server = demo_server(pace=0, answers=lambda _: ["one ", "two"])
    for load in (True, False):
        cell = kernel(server, load=load).run(
            "import ollama_magic as om\n"
            "async for chunk in om.stream('Hi'):\n    print(chunk, end='')\n"
            "print('|', (await om.stream('Hi')).text, '|', om.chat('Hi').text, '|', om.Conversation().chat('Hi').text)"
        )
        assert cell.status == "ok"
        assert cell.printed == "one two| one two | one two | one two\n"


@pytest.mark.parametrize(
    "code",
    [
        "om.chat('Go on')",
        "for chunk in om.stream('Go on'): pass",
        "async for chunk in om.stream('Go on'): pass",
        "om.Conversation.here().chat('Go on')",
    ],
    ids=["chat", "for", "async for", "here"],
)
def test_interrupt(demo_server: Callable[..., ScriptedServer], kernel: Callable[..., Kernel], code: str) -> None:  # noqa: F811
    """■ ends a call or a loop of any kind, hangs up, and the next call works."""
    server = demo_server(pace=40, answers=lambda body: LONG if "on" in body["messages"][-1]["content"] else ["fine"])
    shell = kernel(server)
    assert shell.run("import ollama_magic as om").status == "ok"
    asked = shell.start(code, "a")
    shell.wait_until(lambda: chats(server))
    shell.interrupt()
    assert shell.wait(asked).status == "error"
    shell.wait_until(lambda: chats(server)[0].closed_early)
    again = shell.run("print(om.chat('Hi').text)", "b")
    assert (again.status, again.printed) == ("ok", "fine\n")
