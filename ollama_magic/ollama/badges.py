"""What is asked of many models at once, a few at a time: the badges of a list, and who shares a weights file."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ollama_magic.errors import OllamaMagicError, ServerUnreachable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ollama_magic.ollama.models import LookUps
    from ollama_magic.ollama.protocol import ModelFacts, ModelSummary

_AT_ONCE = 8
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
        unsure = [other for other in alike if not other.digest or other.digest != model.digest]
        facts = await self._all([model, *unsure]) if unsure else {}
        weights = facts[model.name].weights if model.name in facts else ""
        same = {name for name, found in facts.items() if weights and found.weights == weights}
        return tuple(other.name for other in alike if other.name in same or other not in unsure)

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
