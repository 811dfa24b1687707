"""A cache of model facts: what each model can do, and which models share a weights file."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from ollama_magic.errors import OllamaMagicError, ServerUnreachable
from ollama_magic.ollama.model_names import normal_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ollama_magic.ollama.address import Address
    from ollama_magic.ollama.protocol import ModelFacts, ModelSummary, RunningModel

_AT_ONCE = 8
_GENERATIONS = 10
_MAX = 500  # most models to look up one by one


class ModelSource(Protocol):
    """The source of model facts: a client, or a stand-in."""

    address: Address

    async def tags(self) -> list[ModelSummary]: ...  # noqa: D102
    async def ps(self) -> list[RunningModel]: ...  # noqa: D102
    async def show(self, model: str) -> ModelFacts: ...  # noqa: D102


class FactsCache:
    """The facts of listed models, cached by digest."""

    def __init__(self, client: ModelSource) -> None:
        self._client = client
        self._facts: dict[str, ModelFacts] = {}

    async def capabilities(self, models: Sequence[ModelSummary]) -> dict[str, frozenset[str] | None]:
        """Return the capabilities by name, None if unknown."""
        found = {model.name: model.capabilities for model in models}
        for name, facts in (await self._all([model for model in models if model.capabilities is None])).items():
            found[name] = facts.capabilities
        return found

    async def sharing(self, model: ModelSummary, others: Sequence[ModelSummary]) -> tuple[str, ...]:
        """Return the names of other models with the same weights file, as far as known."""
        alike = [other for other in others if _looks(other) == _looks(model)]
        mine = [model, *(other for other in alike if other.digest and other.digest == model.digest)]
        unsure = [other for other in alike if other not in mine]
        facts = await self._all([*mine, *unsure]) if unsure else {}
        origin = _origins(facts)
        kin = [other for other in unsure if any(_kin(one.name, other.name, facts, origin) for one in mine)]
        digests = {one.digest for one in kin if one.digest}
        return tuple(other.name for other in alike if other in mine or other in kin or other.digest in digests)

    async def _all(self, models: Sequence[ModelSummary]) -> dict[str, ModelFacts]:
        """Return the available facts by name; stop asking if the server is unreachable."""
        found: dict[str, ModelFacts] = {}
        todo = iter(models[:_MAX])

        async def ask() -> None:
            for model in todo:
                try:
                    found[model.name] = await self._of(model)
                except ServerUnreachable:
                    list(todo)
                except OllamaMagicError:
                    continue

        await asyncio.gather(*(ask() for _ in range(min(_AT_ONCE, len(models)))))
        return found

    async def _of(self, model: ModelSummary) -> ModelFacts:
        facts = self._facts.get(model.digest) or await self._client.show(model.name)
        if model.digest:
            self._facts[model.digest] = facts
        return facts


def _looks(model: ModelSummary) -> tuple[str, str, str]:
    return model.family, model.parameter_size, model.quantization


def _kin(one: str, other: str, facts: Mapping[str, ModelFacts], origin: Mapping[str, str]) -> bool:
    """Whether two models share a weights file; without a digest, whether they descend from one model."""
    if one not in facts or other not in facts:
        return False
    mine, its = facts[one].weights, facts[other].weights
    return mine == its if mine and its else origin[one] == origin[other]


def _origins(facts: Mapping[str, ModelFacts]) -> dict[str, str]:
    """Return the oldest ancestor of each model."""
    parents = {
        normal_name(name): normal_name(found.parent_model) for name, found in facts.items() if found.parent_model
    }
    return {name: _origin(normal_name(name), parents) for name in facts}


def _origin(name: str, parents: Mapping[str, str]) -> str:
    for _ in range(_GENERATIONS):
        name = parents.get(name, name)
    return name
