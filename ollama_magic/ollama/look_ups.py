"""What the book of models, and the badges of a list, ask of a client; `client` is the real one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ollama_magic.ollama.address import Address
    from ollama_magic.ollama.protocol import ModelFacts, ModelSummary, RunningModel


class LookUps(Protocol):
    """What is looked up about the models of a server."""

    address: Address

    async def tags(self) -> list[ModelSummary]: ...  # noqa: D102
    async def ps(self) -> list[RunningModel]: ...  # noqa: D102
    async def show(self, model: str) -> ModelFacts: ...  # noqa: D102
