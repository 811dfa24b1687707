"""Vectors of texts: one request for a few, a map for thousands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ollama_magic.functions.arguments import (
    dimensions_from,
    keep_alive_from,
    model_from,
    options_from,
    switch_from,
    texts_from,
)
from ollama_magic.functions.calls import call
from ollama_magic.functions.many import hosts_from, limits_from, map_view, named_hosts, servers_of
from ollama_magic.functions.sessions import session
from ollama_magic.functions.signatures import checked_call, with_arguments_of
from ollama_magic.mapping.executors import executor_from
from ollama_magic.mapping.task import TIMEOUT_S

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence
    from concurrent.futures import Executor

    from typing_extensions import TypedDict, Unpack

    from ollama_magic.conversation.server import Server
    from ollama_magic.functions.arguments import AnyOptions, ModelName
    from ollama_magic.ollama.embeddings import Embeddings
    from ollama_magic.ollama.protocol import KeepAlive

    class Spread(TypedDict, total=False):
        """How thousands of texts are spread."""

        hosts: Iterable[str] | None
        concurrency: int | None
        timeout: float
        cache: bool | str | os.PathLike[str] | None
        executor: Executor | None


FEW = 256  # texts of one plain request


def spread(
    *,
    hosts: Iterable[str] | None = None,
    concurrency: int | None = None,
    timeout: float = TIMEOUT_S,
    cache: bool | str | os.PathLike[str] | None = None,
    executor: Executor | None = None,
) -> dict[str, Any]:
    """Return the checked arguments that spread thousands of texts, as `map` has them."""
    limits = limits_from(concurrency, timeout)
    return {"hosts": hosts_from(hosts), "cache": cache, "executor": executor_from(executor), **limits}


@checked_call
@with_arguments_of(spread)
def embed(
    texts: str | Iterable[str],
    *,
    model: ModelName = None,
    truncate: bool | None = None,
    dimensions: int | None = None,
    options: AnyOptions = None,
    keep_alive: KeepAlive = None,
    host: str | None = None,
    **many: Unpack[Spread],
) -> Embeddings:
    """Return a vector for each text, in order; of thousands each is saved as it comes, with progress.

    Args:
        texts: A text, or several.
        model: A name, or an entry of `list()`; None for the newest that makes embeddings.
        truncate: Whether a text that is too long is cut, as servers do by default, or refused.
        dimensions: Length of the vectors, for models that can shorten them.
        options: Model options by their names.
        keep_alive: How long the model stays loaded: seconds, or "10m".
        host: Another server than the session's.
        many: `hosts`, `concurrency`, `timeout`, `cache` and `executor` as for `map`, for thousands.

    Raises:
        OllamaMagicError: As for `chat`; InputError names the position of anything that is not a text.

    Example:
        >>> from ollama_magic import embed
        >>> len(embed(["red", "green"]).vectors)
        2
    """
    settings = {"options": options_from(options), "keep_alive": keep_alive_from(keep_alive)}
    settings |= {"truncate": switch_from(truncate, "truncate"), "dimensions": dimensions_from(dimensions)}
    return _embedded(model_from(model), texts_from(texts), settings, host, many)


def _embedded(model: str, texts: Sequence[str], settings: dict[str, Any], host: str | None, many: Any) -> Embeddings:
    if len(texts) > FEW or many:
        return _many(model, texts, settings, host, **spread(**many))

    async def ask(server: Server) -> Embeddings:
        name = await server.embedding_model(model)
        return await server.client.embed(name, texts, **settings)

    return call(ask(session().server(host)))


def _many(
    model: str,
    texts: Sequence[str],
    settings: dict[str, Any],
    host: str | None,
    hosts: list[str] | None,
    cache: object,
    **limits: Any,
) -> Embeddings:
    from ollama_magic.display.map_progress import MapProgress
    from ollama_magic.mapping.embed_run import EmbedRun, EmbedTask
    from ollama_magic.mapping.handle import MapHandle
    from ollama_magic.mapping.stores import store_of
    from ollama_magic.mapping.tally import Tally

    ours = session()
    servers, store = servers_of(host, hosts), store_of(ours, cache)
    limits["hosts"] = named_hosts(host, hosts)
    tally = Tally(MapProgress(len(texts), "texts"))
    run = EmbedRun(EmbedTask(texts, servers, model, settings, store, cache is not False, **limits), tally)
    handle = MapHandle(ours, run, tally, map_view())
    handle.start(range(len(texts)))
    handle.wait()
    return run.embeddings()
