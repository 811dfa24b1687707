"""Asks one server one prompt, and reads the answer as the same `Reply` that every other answer is."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any, TypeVar

from ollama_magic.conversation.reply import COMPLETE, GENERATE, Reply
from ollama_magic.conversation.reply_accumulator import ReplyAccumulator
from ollama_magic.conversation.request import form_of
from ollama_magic.errors import AnswerInvalid, OllamaMagicError
from ollama_magic.log import log_fault
from ollama_magic.mapping import outcome as outcomes
from ollama_magic.mapping.outcome import Outcome
from ollama_magic.mapping.task import with_prompt

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from ollama_magic.answer_types.answer_format import AnswerFormat
    from ollama_magic.conversation.server import Server
    from ollama_magic.mapping.task import Job
    from ollama_magic.ollama.protocol import ChatChunk, Request

    Asks = Callable[[Server, Job, float], Awaitable[Outcome]]

T = TypeVar("T")
_LOG = logging.getLogger("ollama_magic.mapping")
SPARE_S = 60.0  # the row's own deadline is to strike first


class TooLate(OllamaMagicError):
    """A row has passed its deadline."""


def asker(request: Request, answer_format: AnswerFormat[Any] | None = None) -> Asks:
    """Return what asks a server for the answer to a job.

    Args:
        request: The request without its prompt.
        answer_format: What each answer must look like.
    """

    async def ask(server: Server, job: Job, seconds: float) -> Outcome:
        began = now()
        answering = server.client.answer(with_prompt(request, job.prompt, job.images), seconds + SPARE_S)
        chunk = await in_time(answering, seconds, server.client.address.url)
        return read_answer(chunk, answer_format, now() - began)

    return ask


async def in_time(answering: Coroutine[Any, Any, T], seconds: float, url: str) -> T:
    """Return what a server answers; cancelling this closes the connection.

    Raises:
        TooLate: The time is over.
        OllamaMagicError: The server refused, broke off, or cannot be reached.
    """
    asking = asyncio.ensure_future(answering)
    try:
        await asyncio.wait({asking}, timeout=seconds)
        if asking.done():
            return asking.result()
    finally:
        if not asking.done():
            asking.cancel()
            await asyncio.wait({asking})
    raise TooLate(f"{url} had not answered in time; `timeout` is for each row.")


def read_answer(chunk: ChatChunk, answer_format: AnswerFormat[Any] | None, seconds: float) -> Outcome:
    """Return the outcome that an answer is: complete, or failed if it is cut, an error, or no value of its format."""
    reply: Reply[Any] = Reply(
        kind=GENERATE, form=form_of(answer_format.schema if answer_format else None, ""), format=answer_format
    )
    accumulator = ReplyAccumulator(reply, "run it again", saves=False)
    accumulator.add(chunk)
    accumulator.flush()
    try:
        _end(reply, accumulator, chunk)
        if answer_format is not None:
            _ = reply.value
    except AnswerInvalid as error:
        return outcomes.failed(outcomes.without_hint(str(error)), seconds, reply.text)
    except OllamaMagicError as error:
        return outcomes.failed(error, seconds, reply.text)
    except Exception as error:  # noqa: BLE001 (a type's own code)
        return outcomes.failed(log_fault(_LOG, error), seconds, reply.text)
    tokens = chunk.stats.answer_tokens if chunk.stats is not None else None
    found = Outcome(outcomes.COMPLETE, reply.text, tokens=tokens, seconds=seconds)
    found.reason = chunk.done_reason
    if answer_format is not None:
        found.remember(reply.value)
    return found


def _end(reply: Reply[Any], accumulator: ReplyAccumulator, last: ChatChunk) -> None:
    """End the reply; raise if it is not complete."""
    accumulator.end(last)
    if not last.done:
        raise accumulator.cut()
    reply.end(COMPLETE)


def now() -> float:
    """Return the time of the clock that all of a map's times are of, in seconds."""
    return time.monotonic()
