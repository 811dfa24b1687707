"""A tool call for the thread that takes an answer: the caller's, whose objects are there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollama_magic.conversation.tool_loop import question_of

if TYPE_CHECKING:
    from ollama_magic.tools.tool_run import ToolRun


class CallerRun:
    """One call, to be run before the next piece of the stream is asked for."""

    def __init__(self, run: ToolRun) -> None:
        self._run = run

    def run(self) -> None:
        """Run it in this thread; ■ passes."""
        if self._confirmed():
            self._run.run()

    async def arun(self) -> None:
        """Run it in this thread, and await an asynchronous tool on the running loop."""
        if self._confirmed():
            await self._run.arun()

    def _confirmed(self) -> bool:
        if not self._run.confirmed:
            from ollama_magic.tools.asking import ask

            self._run.answer(ask(question_of(self._run)))
        return self._run.confirmed
