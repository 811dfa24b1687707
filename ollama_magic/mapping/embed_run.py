"""Vectors of thousands of texts: in batches, from several hosts, saved as they come, in the order of the texts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ollama_magic.errors import ServerError
from ollama_magic.mapping.asking import now
from ollama_magic.mapping.batches import Batches
from ollama_magic.mapping.hosts import Host
from ollama_magic.mapping.model_lookups import ModelLookups, first_that_can
from ollama_magic.mapping.model_pass import ModelPass
from ollama_magic.mapping.questions import TextLook
from ollama_magic.mapping.saved_rows import RowKeys
from ollama_magic.mapping.task import TIMEOUT_S
from ollama_magic.mapping.text_feed import TextFeed
from ollama_magic.mapping.worker import WorkerTask
from ollama_magic.ollama.embeddings import ManyEmbeddings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from concurrent.futures import Executor

    from ollama_magic.conversation.server import Server
    from ollama_magic.mapping.tally import Tally
    from ollama_magic.ollama.embeddings import Embeddings
    from ollama_magic.store.store import Store


@dataclass(frozen=True)
class EmbedTask:
    """Texts and how their vectors are asked for; the fields are those of `MapTask`.

    `settings` are the other arguments of `OllamaClient.embed`.
    """

    texts: Sequence[str]
    servers: tuple[Server, ...]
    model: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    store: Store | None = None
    reads: bool = True
    concurrency: int | None = None
    timeout: float = TIMEOUT_S
    executor: Executor | None = None
    hosts: tuple[str, ...] = ()


class EmbedRun:
    """Asks for the vectors that are missing."""

    def __init__(self, task: EmbedTask, tally: Tally) -> None:
        self._task, self._tally = task, tally
        self._model = task.model
        self._feed: TextFeed | None = None

    async def run(self, places: Sequence[int]) -> None:
        """Ask for these texts; cancelling this keeps what is done, and closes every connection.

        Raises:
            OllamaMagicError: A text could not be embedded, or nothing could be asked.
        """
        task = self._task
        look = TextLook(task.model, task.settings)
        hosts = [Host(server, now(), task.concurrency) for server in task.servers]
        lookups = ModelLookups(hosts, self._tally.progress, frozenset())
        if task.executor is not None:
            worker_task = WorkerTask(task.hosts, task.concurrency, task.timeout, frozenset())
            batches = Batches(task.executor, worker_task)
            question, digest = await batches.look_up(look)
        else:
            question, first = await first_that_can(hosts, look.question)
            digest = await lookups.begin(question.model, first)
        self._model, keys = question.model, RowKeys(question.depends_on, digest)
        self._feed = feed = TextFeed(task.texts, keys, self._tally, task.store, reads=task.reads)
        try:
            if task.executor is not None:
                await batches.run(question, feed, places)
            else:
                await ModelPass(lookups, feed, question.asks(), task.timeout).run(places)
        finally:
            await feed.drain()
        if feed.problem:
            raise ServerError(feed.problem)

    def embeddings(self) -> Embeddings:
        """Return the vectors, when it has ended."""
        assert self._feed is not None, "it has not run"
        return ManyEmbeddings.of(self._model, self._feed.flat, self._feed.width, self._tally.progress.tokens)
