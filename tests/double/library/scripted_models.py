"""The models of the tests' Ollama: those of the package, with what only a test needs of a model."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ollama_magic.demo.models import model_card
from ollama_magic.demo.models.model_card import Layer, sha256

_FIM = "{{- if .Suffix }}<|fim_prefix|>{{ .Prompt }}<|fim_suffix|>{{ .Suffix }}<|fim_middle|>{{ else }}"


@dataclass(frozen=True)
class DemoModel(model_card.DemoModel):
    """A model that may have a projector (its size in bytes), or run elsewhere."""

    remote_model: str = ""
    remote_host: str = ""
    projector: int = 0

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The weights first; the sizes add up to `size`."""
        weights, *small = super().layers
        if not self.projector:
            return (weights, *small)
        projector = Layer("projector", sha256(f"projector of {self.weights}"), self.projector)
        return (replace(weights, size=weights.size - self.projector), projector, *small)


_LICENSE = "Scripted replies of ollama_magic's demo server: no language model."
DEMO = DemoModel(
    "demo",
    capabilities=("completion", "thinking"),
    license=_LICENSE,
    parameters=(("temperature", 0), ("stop", "<|im_end|>")),
)
PLAIN = DemoModel("demo-plain")
EMBEDDING = DemoModel("demo-embed", capabilities=("embedding",))
SMALL = DemoModel(
    "demo-small",
    capabilities=("completion", "tools"),
    size=420_000_000,
    parameter_size="0.5B",
    quantization="Q4_K_M",
    license=_LICENSE,
    parameters=(("temperature", 0.7),),
)
CODE = DemoModel("demo-code", ("completion", "insert"), 90_000_000, template=f"{_FIM}{DEMO.template}{{{{ end }}}}")
VISION = DemoModel("demo-vision", ("completion", "vision"), 610_000_000, parameter_size="0.8B", projector=90_000_000)
PULLABLE = (SMALL, CODE, VISION, EMBEDDING, PLAIN, DEMO)  # nothing of them exists anywhere else
