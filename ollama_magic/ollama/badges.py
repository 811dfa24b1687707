"""What is asked of many models at once, a few at a time: the badges of a list, and who shares a weights file."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ollama_magic.errors import OllamaMagicError, ServerUnreachable
from ollama_magic.ollama.names import normal_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ollama_magic.ollama.look_ups import LookUps
    from ollama_magic.ollama.protocol import ModelFacts, ModelSummary

_AT_ONCE = 8
_GENERATIONS = 10
_MOST = 500  # a server with more models that do not tell is not asked for each of them


class Badges:
    """The facts of listed models; a digest names what never changes, so it is asked for once."""

    def __init__(self, client: LookUps) -> None:
        self._client = client
        self._facts: dict[str, ModelFacts] = {}

    async def capabilities(self, models: Sequence[ModelSummary]) -> dict[str, frozenset[str] | None]:
        """Return by name what models can do, None where that is not known."""
        found = {model.name: model.capabilities for model in models}
        for name, facts in (await self._all([model for model in models if model.capabilities is None])).items():
            found[name] = facts.capabilities
        return found

    async def sharing(self, model: ModelSummary, others: Sequence[ModelSummary]) -> tuple[str, ...]:
        """Return the names of the others that are made of the same weights file, as far as it is told."""
        alike = [other for other in others if _looks(other) == _looks(model)]
        mine = [model, *(other for other in alike if other.digest and other.digest == model.digest)]
        unsure = [other for other in alike if other not in mine]
        facts = await self._all([*mine, *unsure]) if unsure else {}
        origin = _origins(facts)
        kin = [other for other in unsure if any(_kin(one.name, other.name, facts, origin) for one in mine)]
        digests = {one.digest for one in kin if one.digest}
        return tuple(other.name for other in alike if other in mine or other in kin or other.digest in digests)

    async def _all(self, models: Sequence[ModelSummary]) -> dict[str, ModelFacts]:
        """Return the facts that could be had, by name; nothing more is asked for once the server is gone."""
        found: dict[str, ModelFacts] = {}
        todo = iter(models[:_MOST])

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
    """Whether two models have one weights file; where no digest tells, whether they descend from one model."""
    if one not in facts or other not in facts:
        return False
    mine, its = facts[one].weights, facts[other].weights
    return mine == its if mine and its else origin[one] == origin[other]


def _origins(facts: Mapping[str, ModelFacts]) -> dict[str, str]:
    """Return for each name the first of its ancestors, however many models were made from one another."""
    parents = {
        normal_name(name): normal_name(found.parent_model) for name, found in facts.items() if found.parent_model
    }
    return {name: _origin(normal_name(name), parents) for name in facts}


def _origin(name: str, parents: Mapping[str, str]) -> str:
    for _ in range(_GENERATIONS):
        name = parents.get(name, name)
    return name
