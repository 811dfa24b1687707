"""One round of a running turn's tool calls: each waits for its confirmation and for the main thread, in its order."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ollama_magic.conversation.question import Question
from ollama_magic.conversation.tool_loop import question_of
from ollama_magic.errors import OllamaMagicError
from ollama_magic.foreign import one_line

if TYPE_CHECKING:
    from ollama_magic.conversation.interfaces import ChatServer
    from ollama_magic.conversation.running_turn import RunningTurn
    from ollama_magic.tools.tool_run import ToolRun

PATIENCE_S = 0.3  # after which the status says that a tool waits for the main thread


async def run_round(turn: RunningTurn) -> bool:
    """Run the calls of the answer that has just ended; return whether the model is to be asked with their results."""
    found = turn.accumulator.take_round()
    if not turn.loop.goes_on(found, turn.reply.done_reason):
        return False
    for run in turn.loop.runs(*found):
        turn.views.notify()
        await _run(turn, run)
    turn.views.notify()
    if turn.loop.has_images and not await sees(turn.server, turn.reply.model):
        turn.loop.leave_out_images()
    return True


async def sees(server: ChatServer, model: str) -> bool:
    """Whether a model is known to see images, or nothing is known of it."""
    try:
        await server.model_for(model, frozenset({"vision"}))
    except OllamaMagicError:
        return False
    return True


async def _run(turn: RunningTurn, run: ToolRun) -> None:
    status = turn.reply.status
    try:
        if not run.confirmed and not await _confirmed(turn, run):
            return
        late = asyncio.get_running_loop().call_later(PATIENCE_S, _say_it_waits, turn, run)
        begin = run.on_begin

        def on_begin() -> None:
            status.waiting = f"running {one_line(run.tool.name, 40)}"
            begin()
            turn.notify()

        run.on_begin = on_begin
        try:
            await turn.main.do(turn, run.run)
        finally:
            late.cancel()
    finally:
        status.waiting = ""


def _say_it_waits(turn: RunningTurn, run: ToolRun) -> None:
    if not run.begun:
        turn.reply.status.waiting = f"{one_line(run.tool.name, 40)} waits for the main thread"
        turn.views.notify()


async def _confirmed(turn: RunningTurn, run: ToolRun) -> bool:
    """Ask the user; False if the call was refused, and then it has ended."""
    from ollama_magic.tools.asking import ask

    text = question_of(run)
    answers: list[bool | None] = []
    if turn.view.asks:
        answers.append(await _clicked(turn, text))
    elif turn.waited_for:
        await turn.main.do(turn, lambda: answers.append(ask(text)))
    run.answer(answers[0] if answers else None)
    return run.confirmed


async def _clicked(turn: RunningTurn, text: str) -> bool:
    status = turn.reply.status
    status.question, status.waiting = Question(text), "waiting for your confirmation"
    turn.views.notify()
    try:
        return await status.question.answered()
    finally:
        status.question, status.waiting = None, ""
        turn.views.notify()
