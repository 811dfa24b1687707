"""What a server's list leaves out: capabilities on old servers, and which models share one runner (dossier §15)."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from ollama_magic.errors import OllamaMagicError
from ollama_magic.ollama.models import is_cloud, same_model

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ollama_magic.conversation.server import Server
    from ollama_magic.ollama.protocol import ModelFacts, ModelSummary

LOOK_S = 3.0  # for all look-ups of one list: what is not known by then stays out of it
AT_ONCE = 4
ALIKE = 1_000_000  # bytes that a system text, a template and a licence may add to the same weights
MOST_ALIKE = 20


async def with_capabilities(server: Server, models: Sequence[ModelSummary]) -> list[ModelSummary]:
    """Return the models, those whose list does not say what they can do as show says it; that is remembered."""
    known = await look_up_all(server, [model.name for model in models if model.capabilities is None])
    return [
        replace(model, capabilities=known[model.name].capabilities) if model.name in known else model
        for model in models
    ]


async def look_up_all(server: Server, names: Iterable[str]) -> dict[str, ModelFacts]:
    """Look up several models, a few at once; those that fail, or come too late, are left out."""
    found: dict[str, ModelFacts] = {}
    gate = asyncio.Semaphore(AT_ONCE)

    async def look_up(name: str) -> None:
        async with gate:
            with suppress(OllamaMagicError):
                facts = await server.book.look_up(name, frozenset())
                if facts is not None:
                    found[name] = facts

    tasks = [asyncio.ensure_future(look_up(name)) for name in names]
    try:
        if tasks:
            await asyncio.wait(tasks, timeout=LOOK_S)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return found


async def sharing(server: Server, names: Iterable[str]) -> dict[str, list[str]]:
    """For each name the other models made of the same weights file: all of them share one runner.

    Lists do not tell weights; so those of the same make and about the same size are looked up.
    """
    models = [model for model in await server.client.tags() if not is_cloud(model)]
    shared: dict[str, list[str]] = {}
    for name in names:
        mine = next((model for model in models if same_model(model.name, name)), None)
        if mine is None:
            continue
        alike = [other.name for other in models if other is not mine and _alike(mine, other)][:MOST_ALIKE]
        facts = await look_up_all(server, [mine.name, *alike]) if alike else {}
        weights = facts[mine.name].weights if mine.name in facts else ""
        shared[name] = [other for other in alike if weights and other in facts and facts[other].weights == weights]
    return {name: others for name, others in shared.items() if others}


def _alike(one: ModelSummary, other: ModelSummary) -> bool:
    made = (one.family, one.parameter_size, one.quantization)
    return made == (other.family, other.parameter_size, other.quantization) and abs(one.size - other.size) <= ALIKE
