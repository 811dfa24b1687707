"""What the endpoints of one server share: its models, its recordings, and the language models that answer."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ollama_magic.demo.language_model import ModelError
from ollama_magic.demo.models.loaded_models import LoadedModels
from ollama_magic.demo.models.model_reference import read_reference
from ollama_magic.demo.recordings.recorded_model import Fallback, RecordedModel
from ollama_magic.demo.transport.request_body import Body, Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ollama_magic.demo.language_model import LanguageModel
    from ollama_magic.demo.models.installed_models import InstalledModels
    from ollama_magic.demo.models.model_card import DemoModel
    from ollama_magic.demo.models.model_source import ModelSource

NOT_FOUND = "model '{name}' not found"
NOT_FOUND_TAGGED = "model '{shown}' not found"
NOT_FOUND_PULL = 'model "{name}" not found, try pulling it first'


@dataclass
class ServerState:
    """One server's models and settings.

    Args:
        installed: The models that can be listed and asked.
        language_models: What answers for a model, by the name that its weights have (`DemoModel.base` or its name).
        recorded: What answers for every other model.
        pullable: The models that can be pulled.
        pull_seconds: How long a pull of one of them takes.
        version: The version of Ollama that is reported.
        sources: The models that a pull fetches for real.
    """

    installed: InstalledModels
    language_models: dict[str, LanguageModel]
    recorded: RecordedModel
    pullable: tuple[DemoModel, ...]
    pull_seconds: float
    version: str
    sources: tuple[ModelSource, ...] = ()
    downloads: dict[str, float] = field(default_factory=dict)  # bytes of each layer that have come

    def __post_init__(self) -> None:
        self.loaded = LoadedModels(lambda model: self.language_model(model).unload())

    def language_model(self, model: DemoModel) -> LanguageModel:
        """What answers for a model."""
        return self.language_models.get(model.base or model.name, self.recorded)

    def add(self, card: DemoModel, language_model: LanguageModel) -> None:
        """A real model has come; `demo` hands over to it if it had none before."""
        self.language_models.setdefault(card.name, language_model)
        self.installed.add(card)
        self.recorded.fallback = self.recorded.fallback or Fallback.of(card, language_model)

    def remove(self, model: DemoModel) -> None:
        """Remove a model; what was fetched for it is deleted when no other model needs it."""
        self.installed.remove(model)
        base = model.base or model.name
        if not self.installed.uses(base):
            for source in self.sources:
                if source.name == base:
                    self.loaded.unload(model)
                    source.deleted()

    def size(self, model: DemoModel) -> int:
        """Bytes that a loaded model takes."""
        return self.language_model(model).size or model.size

    def find(self, name: str, missing: str = NOT_FOUND) -> DemoModel:
        """The model of that name; Refusal for a malformed or unknown one."""
        reference = read_reference(name)
        if reference is None:
            raise Refusal(400, "invalid model name")
        model = self.installed.find(name)
        if model is None:
            raise Refusal(404, missing.format(name=name, shown=reference.shown))
        return model

    @contextmanager
    def ready(self, model: DemoModel, options: Mapping[str, Any], keep: float | None) -> Iterator[None]:
        """The model, loaded and busy while the block runs; `keep` is the `keep_alive` of the request."""
        load = self.loaded.load(model, dict(options), keep)
        try:
            if load:
                self._load(model, {**options, "num_ctx": model.window(dict(options))})
            yield
        except ModelError as error:
            raise Refusal(error.status, error.text, late=True) from None
        finally:
            self.loaded.release(model)
            if keep == 0:
                self.loaded.unload(model)

    def _load(self, model: DemoModel, options: Mapping[str, Any]) -> None:
        try:
            self.language_model(model).load(options)
        except BaseException:
            self.loaded.unload(model)
            raise


def name_in(body: Body) -> str:
    """The name that a body asks for; `name` is the old word."""
    return str(body.get("model") or body.get("name") or "")
