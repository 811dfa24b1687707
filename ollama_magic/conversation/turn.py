"""One turn, from its prompt to its settled reply: the only streaming loop. It never learns what a notebook is."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ollama_magic.conversation.advice import notes_on, with_cure
from ollama_magic.conversation.audience import Audience
from ollama_magic.conversation.context_window import NOTHING_ASKED, demand_of
from ollama_magic.conversation.growth import Growth, is_last
from ollama_magic.conversation.reply import COMPLETE, RUNNING, STOPPED, Reply
from ollama_magic.conversation.request import another_model, fingerprint, messages_in, request_for
from ollama_magic.errors import OllamaMagicError, ServerError
from ollama_magic.ollama.protocol import ChatRequest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ollama_magic.conversation.context_window import Demand
    from ollama_magic.conversation.conversation import Conversation
    from ollama_magic.conversation.record import Record
    from ollama_magic.conversation.request import Plan
    from ollama_magic.conversation.seams import ChatServer, View
    from ollama_magic.ollama.requests import Request

STUCK_S = 20.0  # design §4, last paragraph
FLUSH_S = 0.15  # with the store's own lag a crash loses at most 250 ms of a running answer (design §7.1)
SAVED_S = 0.1  # how long a cell waits for its turn to be on disk (design §4)


@dataclass(eq=False)
class RunningTurn:
    """A turn on its way: what it needs and the reply that it writes."""

    plan: Plan
    conversation: Conversation
    server: ChatServer
    view: View
    reply: Reply
    record: Record
    demand: Demand = NOTHING_ASKED
    changed: Audience = field(init=False)
    growth: Growth = field(init=False)

    def __post_init__(self) -> None:
        self.growth = Growth(self.reply, "run the cell again", keeps=True)
        self.changed = Audience(self.reply, self.view)


async def run_turn(turn: RunningTurn) -> Reply:
    """Wait for the conversation, stream the answer, remember it, settle it; a stop is the cancellation of this task."""
    reply = turn.reply
    turn.changed.begin()
    try:
        async with _its_turn(turn):
            flusher = asyncio.create_task(_flush(turn))
            try:
                await _answer(turn)
            except asyncio.CancelledError:
                reply.end(STOPPED)
            finally:
                flusher.cancel()
    except asyncio.CancelledError:
        reply.end(STOPPED)  # while it waited for the turn before
    except OllamaMagicError as error:
        reply.fail(error)
    except Exception as error:  # noqa: BLE001 (no foreign exception leaves the package: design §7.6)
        reply.fail(OllamaMagicError(f"ollama_magic itself failed, please report it: {error!r}"))
    finally:
        reply.waiting = ""
        turn.record.end()
        await turn.changed.leave()
        await _be_saved(turn)
        turn.changed.finish()
    return reply


@asynccontextmanager
async def _its_turn(turn: RunningTurn) -> AsyncIterator[None]:
    if turn.plan.once:
        yield
        return
    if turn.conversation.running.locked():
        turn.reply.waiting = "waiting for the turn before"
        turn.changed.set()
    async with turn.conversation.running:
        turn.reply.waiting = ""
        yield


async def _answer(turn: RunningTurn) -> None:
    try:
        request = await _request(turn)
        if request is None:
            return
        watch = asyncio.create_task(_tell_if_stuck(turn))
        try:
            await _stream(turn, request)
            turn.reply.notes += await notes_on(turn.reply, request, turn.demand, turn.server)
        except ServerError as error:
            raise await with_cure(error, request, turn.demand, turn.server) from None
        except asyncio.CancelledError:
            if turn.reply.state == RUNNING:
                turn.growth.let_go()
                turn.server.left(request.model)
            raise
        finally:
            watch.cancel()
    except OllamaMagicError as error:
        turn.reply.fail(error)


async def _request(turn: RunningTurn) -> Request | None:
    """What to send, noted in the journal; None where the answer that is kept will do."""
    plan, reply, record = turn.plan, turn.reply, turn.record
    history = record.history()
    request = await request_for(plan, turn.conversation, history, turn.server)
    reply.model, reply.sent, reply.request = request.model, messages_in(request), request
    reply.notes += another_model(request.model, plan, turn.conversation, history)
    turn.demand = demand_of(history if plan.turns is None or plan.turns >= len(history) else [], reply.sent)
    if plan.single is None:
        reply.turns_sent = sum(message.role == "user" for message in reply.sent)
    reply.digest = await turn.server.digest(request.model, fresh=plan.reuse)
    asked = fingerprint(request, reply.digest) if isinstance(request, ChatRequest) else ""
    if plan.reuse and record.reuse(asked):
        reply.end(COMPLETE)
        return None
    record.begin(plan.prompt, plan.system, asked)
    return request


async def _stream(turn: RunningTurn, request: Request) -> None:
    reply, changed, growth = turn.reply, turn.changed, turn.growth
    async with aclosing(turn.server.stream(request)) as chunks:
        async for chunk in chunks:
            if reply.headers_at is None:
                _begin_answer(turn)
            growth.take(chunk)
            if is_last(chunk):
                growth.let_go()
                changed.set()
                growth.end(chunk)
                return
            changed.set()
    growth.let_go()
    raise growth.cut()


def _begin_answer(turn: RunningTurn) -> None:
    turn.reply.headers_at = time.monotonic()
    turn.reply.waiting = ""
    turn.server.answered(turn.reply.model)


async def _tell_if_stuck(turn: RunningTurn) -> None:
    await asyncio.sleep(STUCK_S)
    model = turn.reply.model
    if await turn.server.stuck(model) and turn.reply.headers_at is None:
        turn.reply.waiting = f"stuck? ■, then `%ollama stop {model}`, then run again"
        turn.changed.set()


async def _flush(turn: RunningTurn) -> None:
    while True:
        await asyncio.sleep(FLUSH_S)
        turn.record.grow()


async def _be_saved(turn: RunningTurn) -> None:
    """Wait a moment for the disk; if that is not enough, the footer says so until it is."""
    kept = turn.conversation.journal.kept
    if kept is None or kept.done() or turn.plan.once:
        return
    saved = asyncio.wrap_future(kept)
    with suppress(asyncio.CancelledError):
        await asyncio.wait({saved}, timeout=SAVED_S)
    if not saved.done():
        turn.reply.unsaved = True
        saved.add_done_callback(lambda _: _now_saved(turn))


def _now_saved(turn: RunningTurn) -> None:
    turn.reply.unsaved = False
    turn.changed.again()
