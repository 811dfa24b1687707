"""The catalog of one server's models: the look-up before a turn, the default model, and capabilities."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

from ollama_magic.errors import InputError, ModelNotFound, OllamaMagicError, ServerUnreachable
from ollama_magic.foreign import one_line
from ollama_magic.ollama.facts_cache import FactsCache
from ollama_magic.ollama.model_names import is_cloud, nearest, normal_name, same_model, valid_name
from ollama_magic.ollama.protocol import ModelSummary

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ollama_magic.ollama.facts_cache import ModelSource
    from ollama_magic.ollama.protocol import ModelFacts, RunningModel

__all__ = ["CHAT", "ModelCatalog", "is_cloud", "nearest", "newest_first", "normal_name", "same_model", "valid_name"]

CHAT = frozenset({"completion"})
_EMBEDDING_FAMILIES = frozenset(
    {"bert", "nomic-bert", "nomic-bert-moe", "xlm-roberta", "roberta", "jina-bert-v2", "gemma-embedding"}
)
_CANNOT = {
    "completion": ("chat", "name another model with -m"),
    "thinking": ("think", "leave out --think"),
    "embedding": ("make embeddings", "name another model"),
    "insert": ("fill in between a prompt and a suffix", "leave out --suffix"),
    "tools": ("call tools", "leave the tools out"),
    "vision": ("see images", "leave the images out"),
    "audio": ("hear sound", "leave the sound out"),
}
_SUGGESTED = 3
_ASKED = 8
_EMBEDDERS = 200  # how many of the newest models are searched for one that makes embeddings
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)")


class ModelCatalog:
    """What is known of one server's models; look-ups are cached."""

    def __init__(self, client: ModelSource) -> None:
        self._client = client
        self._facts: dict[str, ModelFacts] = {}
        self._cache = FactsCache(client)

    async def look_up(self, name: str, needs: frozenset[str] = CHAT) -> ModelFacts | None:
        """Return a model's facts; refuse an unknown model and a missing capability.

        None means that the look-up failed otherwise, and the turn should be tried. Raises ModelNotFound, InputError and
        ServerUnreachable, with which the turn would fail too.
        """
        if not valid_name(name):
            raise InputError(
                f"{one_line(name, 80) or 'An empty text'} is not a model's name; `%ollama list` shows the names."
            )
        try:
            facts = await self._show(name)
        except ModelNotFound:
            missing = True
        except (InputError, ServerUnreachable):
            raise
        except OllamaMagicError:
            return None
        else:
            missing = False
        if missing:
            raise ModelNotFound(await self._unknown(name))
        lacking = (needs - facts.capabilities) if facts.capabilities is not None else frozenset[str]()
        if lacking:
            raise InputError(await self._unable(name, min(lacking)))
        return facts

    async def choose(self) -> str:
        """Return the default model: a loaded one that can chat, else the newest that can.

        It is never an embedding model or one in the cloud; raises ModelNotFound if there is no other.
        """
        models = [model for model in newest_first(await self._client.tags()) if valid_name(model.name)]
        loaded = [normal_name(running.name) for running in await self._running()]
        own = [model for model in models if not is_cloud(model)]
        own.sort(key=lambda model: _place(loaded, model))
        for model in own:
            if await self._chats(model):
                return model.name
        raise ModelNotFound(self._none(models))

    async def choose_embedding(self) -> str:
        """Return the newest local model that makes embeddings; raise ModelNotFound if there is none."""
        own = [model for model in newest_first(await self._client.tags()) if not is_cloud(model)][:_EMBEDDERS]
        for name, known in (await self.capabilities(own)).items():
            if "embedding" in known if known else "embed" in name:
                return name
        cure = "name one, or `%ollama pull nomic-embed-text` fetches one"
        raise ModelNotFound(f"No model at {self._client.address.url} is known to make embeddings; {cure}.")

    async def capabilities(self, models: Iterable[str | ModelSummary]) -> dict[str, frozenset[str] | None]:
        """Return the capabilities by name, as listed or else by show; None if unknown.

        Models in the cloud are not looked up, because that would leave this machine. Raises what the list raises.
        """
        asked = list(models)
        listed = await self._client.tags() if any(isinstance(model, str) for model in asked) else []
        known = {normal_name(model.name): model for model in listed}
        wanted = {
            name: model if isinstance(model, ModelSummary) else known.get(normal_name(model), ModelSummary(model))
            for model in asked
            for name in [model.name if isinstance(model, ModelSummary) else model]
        }
        found = await self._cache.capabilities([model for model in wanted.values() if not is_cloud(model)])
        return {name: found.get(model.name, model.capabilities) for name, model in wanted.items()}

    async def sharing(self, name: str) -> tuple[str, ...]:
        """Return the other models that are loaded, used and unloaded together with this one (protocol.md §15.2)."""
        models = [model for model in await self._tags() if not is_cloud(model)]
        mine = next((model for model in models if same_model(model.name, name)), None)
        return await self._cache.sharing(mine, [model for model in models if model is not mine]) if mine else ()

    async def same_weights(self, running: str, name: str) -> bool:
        """Whether a loaded model is this one or shares its runner, so that unloading one unloads both."""
        return same_model(running, name) or any(same_model(name, other) for other in await self.sharing(running))

    def forget(self, name: str | None = None) -> None:
        """Forget a model, or all, because it was pulled, created or removed."""
        if name is None:
            self._facts.clear()
        else:
            self._facts.pop(normal_name(name), None)

    async def _show(self, name: str) -> ModelFacts:
        key = normal_name(name)
        if key not in self._facts:
            self._facts[key] = await self._client.show(name)
        return self._facts[key]

    async def _tags(self) -> list[ModelSummary]:
        try:
            return newest_first(await self._client.tags())
        except OllamaMagicError:
            return []

    async def _running(self) -> list[RunningModel]:
        try:
            return await self._client.ps()
        except OllamaMagicError:
            return []

    async def _chats(self, model: ModelSummary) -> bool:
        """Whether a model can chat, by tags, else by show: old servers and some files need that."""
        known = model.capabilities
        if known is not None and known & {"completion", "embedding"}:
            return "completion" in known
        try:
            known = (await self._show(model.name)).capabilities
        except OllamaMagicError:
            known = None
        if known is not None:
            return "completion" in known
        return not ({model.family, *model.families} & _EMBEDDING_FAMILIES or "embed" in model.name)

    async def _unknown(self, name: str) -> str:
        url, shown = self._client.address.url, one_line(name, 80)
        names = [one_line(model.name, 80) for model in await self._tags()]
        near = nearest(name, names)
        there = f". {'Similar' if near else 'Installed'}: {', '.join(near or names[:_SUGGESTED])}" if names else ""
        cure = f"`%ollama list` shows all, `%ollama pull {shown}` fetches it."
        return f'No model "{shown}" at {url}{there}; {cure}'

    async def _unable(self, name: str, capability: str) -> str:
        doing, cure = _CANNOT.get(capability, (f"do «{one_line(capability, 40)}»", "name another model"))
        able = await self._able(capability)
        pick = f", or pick {' or '.join(able)}" if able else ""
        return f"{one_line(name, 80)} cannot {doing}; {cure}{pick}."

    async def _able(self, capability: str) -> list[str]:
        """Return models with a capability; tags may omit some (protocol.md §15.1), so a few models are looked up."""
        able: list[str] = []
        asked = 0
        for model in await self._tags():
            if is_cloud(model):
                continue
            known = model.capabilities or frozenset()
            if capability not in known and asked < _ASKED:
                asked += 1
                known = await self._capabilities(model.name)
            if capability in known:
                able.append(model.name)
            if len(able) == _SUGGESTED:
                break
        return able

    async def _capabilities(self, name: str) -> frozenset[str]:
        try:
            return (await self._show(name)).capabilities or frozenset()
        except OllamaMagicError:
            return frozenset()

    def _none(self, models: list[ModelSummary]) -> str:
        url = self._client.address.url
        fetch = "`%ollama pull gemma3:1b` fetches one, or try `%ollama demo`"
        if not models:
            return f"There is no model at {url} yet; {fetch}."
        names = ", ".join(model.name for model in models[:_SUGGESTED])
        why = f"{names}: for embeddings, or in the cloud"
        return f"No model at {url} can be the default ({why}); name one with -m, or {fetch}."


def newest_first(models: list[ModelSummary]) -> list[ModelSummary]:
    """Sort by time, then by name, because servers shuffle models of the same second (protocol.md §15.1)."""
    return sorted(models, key=lambda model: (-_seconds(model.modified_at), model.name))


def _seconds(time: str) -> float:
    """Parse RFC 3339 with any fraction, which Python before 3.11 cannot; invalid times count as oldest."""
    match = _TIME.fullmatch(time)
    if not match:
        return float("-inf")
    try:
        moment = datetime.fromisoformat(match[1] + match[3].replace("Z", "+00:00"))
        return moment.timestamp() + float(match[2] or 0)
    except (ValueError, OverflowError):
        return float("-inf")


def _place(loaded: list[str], model: ModelSummary) -> int:
    name = normal_name(model.name)
    return loaded.index(name) if name in loaded else len(loaded)
