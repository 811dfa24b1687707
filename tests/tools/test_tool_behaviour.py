"""What a tool may do: raise, print, return anything, end, fork, be asynchronous; and who is asked before."""

from __future__ import annotations

import asyncio
import builtins
import os
import sys
from typing import TYPE_CHECKING, Any

import pytest

from ollama_magic import tool
from ollama_magic.errors import InputError
from ollama_magic.tools.listing import tool_of
from ollama_magic.tools.tool_run import ToolRun
from tests.tools.loops import ANSWER, DONE, Server, answered, called, line

if TYPE_CHECKING:
    from collections.abc import Callable

    from ollama_magic.turns.tool_steps import ToolStep


def step_of(function: Callable[..., Any], **arguments: object) -> ToolStep:
    """The step of one call of a function."""
    name = getattr(function, "__name__", "")
    reply, _ = answered([line([called(name, arguments)]), DONE], ANSWER, tools=[function])
    assert (reply.state, reply.text) == ("complete", "Done.")
    return reply.steps[0]


class Broken:
    """An object that has no text."""

    def __repr__(self) -> str:
        raise RuntimeError("no text")


class Ending:
    """An object whose text ends the program."""

    def __repr__(self) -> str:
        raise SystemExit(3)


def nothing() -> None:
    """Return nothing."""


def text() -> str:
    """Return a text."""
    return "plain"


def numbers() -> list[int]:
    """Return a list."""
    return [1, 2, 3]


def several() -> Any:
    """Yield values."""
    yield from "abc"


def endless() -> Any:
    """Yield without end."""
    while True:
        yield 1


def broken() -> Any:
    """Return what has no text."""
    return Broken()


def ending() -> Any:
    """Return what ends the program when it is written down."""
    return Ending()


def frame() -> Any:
    """Return a table."""
    pandas = pytest.importorskip("pandas")
    return pandas.DataFrame({"city": ["Lima", "Oslo"], "degrees": [18, 4]})


async def later() -> str:
    """Return after a while."""
    await asyncio.sleep(0)
    return "late"


async def several_later() -> Any:
    """Yield after a while."""
    for letter in "ab":
        await asyncio.sleep(0)
        yield letter


def big() -> str:
    """Return a long text."""
    return "x" * 100_000


@pytest.mark.parametrize(
    ("function", "result"),
    [
        (nothing, "None"),
        (text, "plain"),
        (numbers, "[1, 2, 3]"),
        (several, "['a', 'b', 'c']"),
        (later, "late"),
        (several_later, "['a', 'b']"),
    ],
)
def test_a_result_is_written_as_a_filled_value(function: Callable[..., Any], result: str) -> None:
    """What a tool returns, yields or awaits is described like `{{value}}`."""
    step = step_of(function)
    assert (step.state, step.result) == ("done", result)


def test_a_table_is_a_table() -> None:
    """A frame becomes a table."""
    assert "| Lima | 18 |" in " ".join(step_of(frame).result.split())


@pytest.mark.parametrize("function", [big, endless])
def test_a_result_has_at_most_8000_characters(function: Callable[..., Any]) -> None:
    """However much a tool returns, at most 8,000 characters are sent, and they say what is missing."""
    step = step_of(function)
    assert len(step.result) <= 8000
    assert function is endless or step.result.endswith("… of 100,000 characters")


@pytest.mark.parametrize(("function", "why"), [(broken, "RuntimeError"), (ending, "SystemExit")])
def test_a_result_without_a_text(function: Callable[..., Any], why: str) -> None:
    """An object that cannot be written down is an error of the tool, in one line."""
    step = step_of(function)
    assert step.state == "failed"
    assert why in step.error


def raiser(error: BaseException) -> Callable[[], None]:
    def fail() -> None:
        """Fail."""
        raise error

    return fail


class Mute(Exception):
    """An exception that has no text."""

    def __str__(self) -> str:
        raise ValueError


@pytest.mark.parametrize(
    ("error", "line_of_it"),
    [
        (ValueError("no such city"), "ValueError: no such city"),
        (ValueError("two\nlines\n\nand more"), "ValueError: two lines and more"),
        (SystemExit(1), "SystemExit: 1"),
        (Mute(), "Mute"),
        (asyncio.CancelledError(), "CancelledError"),
        (StopIteration("x"), "StopIteration: x"),
        (
            FileNotFoundError(2, "No such file", "/srv/ada/my data/x.csv"),
            "FileNotFoundError: [Errno 2] No such file: 'x.csv'",
        ),
        (OSError("cannot read /srv/ada/.ssh/id_rsa now"), "OSError: cannot read id_rsa now"),
        (OSError(r"C:\Users\ada\secret\key.txt is locked"), "OSError: key.txt is locked"),
        (OSError("file:///srv/ada/x.txt is locked"), "OSError: x.txt is locked"),
        (OSError(2, "None", "/srv/ada's/x.csv"), 'FileNotFoundError: [Errno 2] None: "x.csv"'),
        (ValueError("3/4 of a/b, https://example.org/x/y"), "ValueError: 3/4 of a/b, https://example.org/x/y"),
    ],
)
def test_an_exception_is_one_line_without_paths(error: BaseException, line_of_it: str) -> None:
    """Whatever a tool raises is an error in one line that names no folder of this machine, and the turn goes on."""
    step = step_of(raiser(error))
    assert (step.state, step.error) == ("failed", line_of_it)


def test_what_a_tool_prints_is_in_its_step(capsys: pytest.CaptureFixture[str]) -> None:
    """Prints and warnings of a tool are shown with its call, not in the cell; other text is left alone."""

    def chatty() -> str:
        """Print."""
        print("to stdout")
        print("to stderr", file=sys.stderr)
        return "ok"

    step = step_of(chatty)
    print("after")
    assert (step.output, capsys.readouterr().out) == ("to stdout\nto stderr\n", "after\n")


def test_a_tool_that_is_defined_anew_in_mid_turn() -> None:
    """What was listed when the turn began is what runs, whatever has its name by then."""
    ran = []

    def first() -> str:
        """Run."""
        ran.append("first")
        globals()["first"] = raiser(ValueError())
        return "ok"

    rounds = [[line([called("first")]), DONE]] * 2
    answered(*rounds, ANSWER, tools=[first])
    assert ran == ["first", "first"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_of_a_tool_never_comes_back() -> None:
    """A tool that forks gets its result from the parent; the child ends with the tool, and is no second kernel."""

    def forks() -> str:
        """Fork."""
        child = os.fork()
        return "child" if child == 0 else str(os.waitpid(child, 0)[1])

    assert step_of(forks).result == "0"


def test_arguments_are_coerced() -> None:
    """A number as text, and a number for a text, become what the annotations say."""

    def plan(days: int, code: str) -> str:
        """Plan."""
        return repr((days, code))

    assert step_of(plan, days="3", code=90210).result == "(3, '90210')"


@pytest.mark.parametrize(
    ("typed", "ran", "error"), [("y", True, ""), ("n", False, "did not allow it"), (None, False, "nobody can be asked")]
)
def test_a_confirmation_by_input(monkeypatch: pytest.MonkeyPatch, typed: str | None, ran: bool, error: str) -> None:
    """A tool that asks first runs after a yes only; without anybody who could be asked it is refused."""
    questions: list[str] = []
    happened: list[str] = []

    def answer(question: str) -> str:
        questions.append(question)
        if typed is None:
            raise EOFError
        return typed

    @tool(confirm=True)
    def delete(name: str) -> str:
        """Delete a file."""
        happened.append(name)
        return "gone"

    monkeypatch.setattr(builtins, "input", answer)
    run = ToolRun(tool_of(delete, {}), {"name": "notes.txt"}, str)
    from ollama_magic.functions.caller_run import CallerRun

    CallerRun(run).run()
    assert questions == ['Run delete(name="notes.txt")? [y/N] ']
    assert (happened == ["notes.txt"]) == ran
    assert run.finished is not None
    assert error in run.finished.error


def test_where_nobody_can_be_asked_it_is_refused() -> None:
    """In a background turn without buttons a tool that asks first does not run, and the model is sent why."""
    happened: list[int] = []

    @tool(confirm=True)
    def delete() -> str:
        """Delete."""
        happened.append(1)
        return "gone"

    from tests.conversation.fakes import FakeView

    FakeView.asks = False  # type: ignore[attr-defined]
    step = step_of(delete)
    assert happened == []
    assert "nobody can be asked" in step.error


def picture() -> Any:
    """Draw."""
    image = pytest.importorskip("PIL.Image")
    return image.new("RGB", (16, 16), "red")


def test_an_image_is_attached() -> None:
    """An image that a tool returns goes along with its result, to a model that sees."""
    reply, server = answered([line([called("picture")]), DONE], ANSWER, tools=[picture])
    result = server.requests[1].messages[-1]
    assert result.images[0].startswith(b"\x89PNG")
    assert reply.steps[0].result == "[picture: image/png, attached]"


def test_an_image_is_not_sent_to_a_model_that_does_not_see(monkeypatch: pytest.MonkeyPatch) -> None:
    """To any other model only a line is sent, which says so."""

    async def blind(server: object, name: str, needs: frozenset[str]) -> str:
        if "vision" in needs:
            raise InputError("it cannot see")
        return "blind"

    monkeypatch.setattr(Server, "model_for", blind)
    reply, server = answered([line([called("picture")]), DONE], ANSWER, tools=[picture])
    result = server.requests[1].messages[-1]
    assert (result.images, "sees no images" in result.content, reply.text) == ((), True, "Done.")
