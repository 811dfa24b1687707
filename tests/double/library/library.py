"""The models that the tests' Ollama has: the package's, listed and shown as a server of some age does it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ollama_magic.demo.models import installed_models
from ollama_magic.demo.models.installed_models import InstalledModels

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.double.library.scripted_models import DemoModel
    from tests.double.library.versions import Age


class Library(InstalledModels):
    """All models, and the blobs that were uploaded or pulled without one, each with its first bytes."""

    def __init__(self, models: Iterable[DemoModel]) -> None:
        super().__init__(models)
        self.blobs: dict[str, bytes] = {}

    def has_layer(self, digest: str) -> bool:
        """Whether a blob is there, in a model or by itself."""
        return digest in self.blobs or super().has_layer(digest)

    def tags_of(self, age: Age) -> list[dict[str, Any]]:
        """The list of /api/tags; capabilities and lengths came with v0.30."""
        return [self._aged(tag, age) for tag in self.tags()]

    def _aged(self, tag: dict[str, Any], age: Age) -> dict[str, Any]:
        name, model, *rest = tag.items()
        aged = dict([name, model, *_remote(self.find(tag["name"])).items(), *rest])
        if not age.has("native"):
            del aged["capabilities"]
            lengths = ("context_length", "embedding_length")
            aged["details"] = {key: value for key, value in aged["details"].items() if key not in lengths}
        return aged


def described(model: DemoModel, options: dict[str, object], system: str, age: Age, verbose: bool) -> dict[str, Any]:
    """The reply of /api/show, without what came after that age."""
    facts = {**installed_models.described(model, options, system, verbose), **_remote(model)}
    later = {"capabilities": "show_capabilities", "tensors": "show_capabilities", "model_info": "model_info"}
    return {key: value for key, value in facts.items() if key not in later or age.has(later[key])}


def _remote(model: DemoModel | None) -> dict[str, str]:
    if not model or not model.remote_host:
        return {}
    return {"remote_model": model.remote_model, "remote_host": model.remote_host}
