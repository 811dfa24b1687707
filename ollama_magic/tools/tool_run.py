"""One call of a tool, in whichever thread runs it. Whatever the tool does becomes a result or an error; ■ passes."""

from __future__ import annotations

import inspect
import os
import time
from asyncio import CancelledError
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ollama_magic.tools.arguments import BadArguments
from ollama_magic.tools.awaiting import run_to_end
from ollama_magic.tools.captured import Printed, printed
from ollama_magic.tools.results import NoResult, Result, error_line, listed, listed_async, result_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ollama_magic.tools.results import Mask
    from ollama_magic.tools.tool import Tool

REFUSED = "the user did not allow it"
NOBODY = "it needs the user's confirmation, and nobody can be asked here"
INTERRUPTED = "it was stopped by the user"


@dataclass
class Finished:
    """How a call ended: a result, or an error on one line."""

    result: Result = field(default_factory=Result)
    error: str = ""
    output: str = ""
    seconds: float = 0.0


class ToolRun:
    """One call of one tool; it runs once, with `run` or with `arun`.

    `on_begin` is called when the tool begins, in the thread that runs it.
    """

    def __init__(self, tool: Tool, arguments: Mapping[str, object], mask: Mask) -> None:
        self.tool = tool
        self.arguments = arguments
        self.confirmed = not tool.confirm
        self.on_begin: Callable[[], None] = lambda: None
        self.begun = False
        self.finished: Finished | None = None
        self._mask = mask

    def answer(self, yes: bool | None) -> None:
        """Take the user's answer to whether it may run; None where nobody can be asked."""
        self.confirmed = yes is True
        if not self.confirmed:
            self.finished = Finished(error=NOBODY if yes is None else REFUSED)

    def run(self) -> None:
        """Run the tool to its end in this thread."""
        self._begin()
        with printed() as output, _Call(self, output, (KeyboardInterrupt,)) as call:
            value = self._value()
            if inspect.isawaitable(value):
                value = run_to_end(value)
            elif inspect.isasyncgen(value):
                value = run_to_end(listed_async(value))
            call.result = result_of(value, self._mask, self.tool.name)

    async def arun(self) -> None:
        """Run the tool in this thread, and await what it returns on the running loop."""
        self._begin()
        with printed() as output, _Call(self, output, (KeyboardInterrupt, CancelledError, GeneratorExit)) as call:
            value = self._value()
            if inspect.isawaitable(value):
                value = await value
            elif inspect.isasyncgen(value):
                value = await listed_async(value)
            call.result = result_of(value, self._mask, self.tool.name)

    def _begin(self) -> None:
        assert self.finished is None, "a call runs once"
        assert self.confirmed, "the user was not asked"
        self.begun = True
        self.on_begin()

    def _value(self) -> Any:
        positional, named = self.tool.arguments.validated(self.arguments)
        value = self.tool.function(*positional, **named)
        return listed(value) if inspect.isgenerator(value) else value

    def error(self, error: BaseException) -> str:
        """Return what the tool raised on one line."""
        return str(error) if isinstance(error, BadArguments | NoResult) else error_line(error, self._mask)


class _Call:
    """Times a call, and catches what it raises: SystemExit too, for a tool must not end the kernel."""

    def __init__(self, run: ToolRun, output: Printed, passed: tuple[type[BaseException], ...]) -> None:
        self.result = Result()
        self._run, self._output, self._passed = run, output, passed
        self._process = os.getpid()

    def __enter__(self) -> _Call:  # noqa: PYI034 (Self needs Python 3.11)
        self._began = time.perf_counter()
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> bool:
        if os.getpid() != self._process:
            os._exit(0)  # a child process of the tool's: it must not go on as a second kernel
        seconds, stopped = time.perf_counter() - self._began, isinstance(error, self._passed)
        why = "" if error is None else INTERRUPTED if stopped else self._run.error(error)
        self._run.finished = Finished(self.result, why, self._output.text, seconds)
        return not stopped
