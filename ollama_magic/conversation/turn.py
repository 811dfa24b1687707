"""One turn, from its prompt to its settled reply: the only streaming loop. It knows nothing of notebooks."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import aclosing, asynccontextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING

from ollama_magic.conversation.advice import explain_window_error, notes_on
from ollama_magic.conversation.context_window import demand_of, more_demand
from ollama_magic.conversation.read_pace import ReadPace
from ollama_magic.conversation.reply import COMPLETE, RUNNING, STOPPED, Reply
from ollama_magic.conversation.reply_accumulator import is_last
from ollama_magic.conversation.request import (
    another_model,
    fingerprint,
    messages_in,
    request_for,
    settings_of,
)
from ollama_magic.conversation.running_turn import RunningTurn
from ollama_magic.conversation.tool_rounds import run_round
from ollama_magic.errors import OllamaMagicError, ServerError
from ollama_magic.log import log_fault
from ollama_magic.ollama.protocol import ChatRequest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ollama_magic.ollama.protocol import Request

__all__ = ["RunningTurn", "run_turn"]

_LOG = logging.getLogger("ollama_magic.conversation")

STUCK_S = 20.0  # design.md §4, last paragraph
FLUSH_S = 0.12  # with what gathers in `read_pace` and the disk, a crash loses at most 250 ms (design.md §7.1)
SAVED_S = 0.1  # how long a cell waits for its turn to be on disk (design.md §4)


async def run_turn(turn: RunningTurn) -> Reply:
    """Wait for the conversation, stream the answer, store it, settle it; cancelling this task stops the turn."""
    reply = turn.reply
    _LOG.info("a turn of %s begins", reply.conversation or "no conversation")
    turn.notify = partial(asyncio.get_running_loop().call_soon_threadsafe, turn.views.notify)
    turn.views.begin()
    try:
        async with _conversation_lock(turn):
            flusher = asyncio.create_task(_flush(turn))
            try:
                await _answer(turn)
            except (asyncio.CancelledError, InterruptedError):  # the latter: ■ while a tool ran
                reply.end(STOPPED)
            finally:
                flusher.cancel()
    except asyncio.CancelledError:
        reply.end(STOPPED)  # while it waited for the previous turn
    except OllamaMagicError as error:
        reply.fail(error)
    except Exception as error:  # noqa: BLE001 (no foreign exception leaves the package: design.md §7.6)
        reply.fail(OllamaMagicError(log_fault(_LOG, error)))
    finally:
        reply.status.waiting = ""
        turn.record.end()
        _say_who_waits(turn)
        await turn.views.close()
        await _wait_until_saved(turn)
        turn.views.finish()
        _LOG.info(
            "the turn is %s after %.2f s: %s, %d pieces", reply.state, reply.seconds, reply.model, reply.status.chunks
        )
    return reply


@asynccontextmanager
async def _conversation_lock(turn: RunningTurn) -> AsyncIterator[None]:
    if turn.plan.once:
        yield
        return
    lock, group = turn.conversation.running, turn.group
    if lock.locked() and not (group is not None and group.holds):
        turn.reply.status.waiting = "waiting for the turn before"
        turn.views.notify()
    async with lock if group is None else group.hold(lock):
        turn.reply.status.waiting = ""
        yield


async def _answer(turn: RunningTurn) -> None:
    try:
        request = await _request(turn)
        if request is None:
            return
        _say_who_waits(turn)
        watch = asyncio.create_task(_warn_if_stuck(turn))
        try:
            await _stream_rounds(turn, request)
            turn.reply.notes += await notes_on(turn.reply, request, turn.demand, turn.server)
        except ServerError as error:
            raise await explain_window_error(error, request, turn.demand, turn.server) from None
        except asyncio.CancelledError:
            if turn.reply.state == RUNNING:
                turn.accumulator.flush()
                turn.server.left(request.model)
            raise
        finally:
            watch.cancel()
    except OllamaMagicError as error:
        turn.reply.fail(error)


async def _request(turn: RunningTurn) -> Request | None:
    """Build the request and note it in the journal; None if the stored answer is reused."""
    plan, reply, record = turn.plan, turn.reply, turn.record
    history = record.history()
    request, notes = await request_for(plan, turn.conversation, history, turn.server)
    sent = messages_in(request)
    reply.sent, reply.request = sent, request
    reply.notes += (*another_model(request.model, plan, turn.conversation, history), *notes)
    turn.demand = demand_of(history if plan.turns is None or plan.turns >= len(history) else [], sent)
    if plan.single is None:
        reply.status.turns_sent = sent.prompts
    digest = await turn.server.digest(request.model, fresh=plan.reuse)
    reply.settings = settings_of(request, digest=digest, host=reply.host.url if reply.host else "", turns=plan.turns)
    depends_on = fingerprint(request, digest) if isinstance(request, ChatRequest) else ""
    if plan.reuse and record.reuse(depends_on):
        reply.end(COMPLETE)
        return None
    record.begin(depends_on)
    return request


async def _stream_rounds(turn: RunningTurn, request: Request) -> None:
    """Stream an answer; while it ends with tool calls, run them and stream the next one."""
    asked = request
    while True:
        try:
            await _stream(turn, asked)
        except BaseException:
            turn.loop.not_run(turn.accumulator.lost_calls(), "the answer did not reach its end")
            raise
        if not await run_round(turn) or not isinstance(request, ChatRequest):
            break
        asked = turn.loop.next_request(request)
        turn.demand = more_demand(turn.demand, asked.messages[len(request.messages) :])
    turn.reply.end(COMPLETE)


async def _stream(turn: RunningTurn, request: Request) -> None:
    reply, views, accumulator = turn.reply, turn.views, turn.accumulator
    pace = ReadPace(views)
    async with aclosing(turn.server.stream(request)) as chunks:
        async for chunk in chunks:
            if reply.status.headers_at is None:
                _begin_answer(turn)
            accumulator.add(chunk)
            if is_last(chunk):
                accumulator.flush()
                views.notify()
                accumulator.end(chunk)
                return
            views.notify()
            if pace.waits:
                await pace.wait()
    accumulator.flush()
    raise accumulator.cut()


def _begin_answer(turn: RunningTurn) -> None:
    turn.reply.status.headers_at = time.monotonic()
    turn.reply.status.waiting = ""
    turn.server.answered(turn.reply.model)
    _say_who_waits(turn)


def _say_who_waits(turn: RunningTurn) -> None:
    if turn.group is not None:
        turn.group.say_who_waits()


async def _warn_if_stuck(turn: RunningTurn) -> None:
    await asyncio.sleep(STUCK_S)
    model = turn.reply.model
    if await turn.server.stuck(model) and turn.reply.status.headers_at is None:
        turn.reply.status.waiting = f"stuck? ■, then `%ollama stop {model}`, then run again"
        turn.views.notify()


async def _flush(turn: RunningTurn) -> None:
    while True:
        await asyncio.sleep(FLUSH_S)
        turn.record.grow()


async def _wait_until_saved(turn: RunningTurn) -> None:
    """Wait briefly for the disk; if that is not enough, the footer says so until the turn is saved, if it ever is."""
    committed = turn.conversation.journal.committed
    if committed is None or turn.plan.once:
        return
    saved = asyncio.wrap_future(committed)
    with suppress(asyncio.CancelledError):
        await asyncio.wait({saved}, timeout=SAVED_S)
    if not _is_saved(saved):
        turn.reply.status.unsaved = True
        saved.add_done_callback(lambda _: _now_saved(turn, saved))


def _now_saved(turn: RunningTurn, saved: asyncio.Future[None]) -> None:
    if _is_saved(saved):
        turn.reply.status.unsaved = False
        turn.views.refresh_settled()


def _is_saved(saved: asyncio.Future[None]) -> bool:
    """Whether this is on the disk; not if the store has refused it, or was closed before."""
    return saved.done() and not saved.cancelled() and saved.exception() is None
