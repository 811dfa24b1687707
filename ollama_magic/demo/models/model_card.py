"""A model as the demo server lists it: its facts, its layers, its window; and the models that it begins with."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from ollama_magic.demo.models.model_reference import read_reference
from ollama_magic.demo.transport.go_format import go_json

_TEMPLATE = "{{- range .Messages }}<|im_start|>{{ .Role }}\n{{ .Content }}<|im_end|>\n{{ end }}<|im_start|>assistant\n"


@dataclass(frozen=True)
class Layer:
    """One blob of a model; `kind` is what it holds."""

    kind: str
    digest: str
    size: int

    @property
    def short(self) -> str:
        """The twelve hex digits that a status shows."""
        return self.digest.removeprefix("sha256:")[:12]


@dataclass(frozen=True)
class DemoModel:
    """A model as `/api/show` describes it; `system` and `messages` are put in front of what a request sends.

    Models with the same `base` (a name; empty: their own) share one weights file, and so one language model.
    """

    name: str
    capabilities: tuple[str, ...] = ("completion",)
    size: int = 1_048_576
    family: str = "demo"
    parameter_size: str = "0B"
    quantization: str = "none"
    context_length: int = 32_768
    embedding_length: int = 64
    license: str = ""
    template: str = _TEMPLATE
    system: str = ""
    parameters: tuple[tuple[str, object], ...] = ()
    messages: tuple[tuple[str, str], ...] = ()
    modified: int = 0  # ns; 0: when the server was made
    base: str = ""
    parent: str = ""
    weights_digest: str = ""  # of a real file
    info: tuple[tuple[str, object], ...] = ()  # what a real file says about itself

    @property
    def shown(self) -> str:
        """Its name as tags and ps show it."""
        name = read_reference(self.name)
        return name.shown if name else self.name

    @property
    def weights(self) -> str:
        """The digest of its weights, which its copies and children share."""
        return self.weights_digest or sha256(f"weights of {self.base or self.name}")

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The weights first; the sizes add up to `size`."""
        texts = {
            "template": self.template,
            "license": self.license,
            "system": self.system,
            "params": go_json(dict(self.parameters)) if self.parameters else "",
            "messages": go_json(self.messages) if self.messages else "",
        }
        small = [Layer(kind, sha256(text), len(text.encode())) for kind, text in texts.items() if text]
        return (Layer("model", self.weights, max(1, self.size - sum(layer.size for layer in small))), *small)

    @property
    def digest(self) -> str:
        """64 hex digits that only its copies share."""
        return hashlib.sha256(repr((self.layers, self.family)).encode()).hexdigest()

    @property
    def details(self) -> dict[str, object]:
        """As ps and show have it; tags adds the two lengths."""
        return {
            "parent_model": self.parent,
            "format": "gguf",
            "family": self.family,
            "families": [self.family],
            "parameter_size": self.parameter_size,
            "quantization_level": self.quantization,
        }

    def window(self, options: dict[str, object]) -> int:
        """Tokens of the context window: as asked, never more than the model was trained for."""
        asked = {**dict(self.parameters), **options}.get("num_ctx", 4096)
        return max(4, min(asked if isinstance(asked, int) else 4096, self.context_length))


def sha256(text: str) -> str:
    """A digest as manifests have it."""
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


_LICENSE = "Scripted replies of ollama_magic's demo server: no language model."
DEMO = DemoModel(
    "demo",
    capabilities=("completion", "thinking", "tools"),
    license=_LICENSE,
    parameters=(("temperature", 0), ("stop", "<|im_end|>")),
)
SMALL = DemoModel(
    "demo-small",
    size=420_000_000,
    parameter_size="0.5B",
    quantization="Q4_K_M",
    license=_LICENSE,
    parameters=(("temperature", 0.7),),
)
EMBEDDING = DemoModel("demo-embed", capabilities=("embedding",))
PULLABLE = (SMALL, EMBEDDING, DEMO)  # for practice: nothing of them exists anywhere else
