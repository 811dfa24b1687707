"""The models that the server has, by name: found, listed, shown, added, removed; no I/O."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from ollama_magic.demo.library.names import read_name
from ollama_magic.demo.wire.go import go_time, local_zone, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ollama_magic.demo.library.ages import Age
    from ollama_magic.demo.library.models import DemoModel

_TOKENS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<think>", "</think>", "demo"]


class Library:
    """All models, and the blobs that lie about without one; safe from any thread."""

    def __init__(self, models: Iterable[DemoModel]) -> None:
        self._lock = threading.Lock()
        self._models: dict[str, DemoModel] = {}
        self.blobs: dict[str, bytes] = {}  # digest: the first bytes of what was uploaded, or nothing if it was pulled
        made = time.time_ns()
        for position, model in enumerate(models):  # the first is the newest, each next one a second older
            self._put(replace(model, modified=model.modified or made - position * 1_000_000_000))

    def find(self, name: str) -> DemoModel | None:
        """The model of that name, in whatever case, with or without its tag."""
        read = read_name(name)
        return self._models.get(read.key) if read else None

    def add(self, model: DemoModel) -> None:
        """Put a model in place of one that has its name."""
        with self._lock:
            self._put(replace(model, modified=time.time_ns()))

    def _put(self, model: DemoModel) -> None:
        name = read_name(model.name)
        if name is None:
            raise ValueError(f"{model.name!r} is no model name")
        self._models = {**self._models, name.key: model}

    def copy(self, model: DemoModel, name: str) -> None:
        """The same model under another name; it shares the weights."""
        self.add(replace(model, name=name, base=model.base or model.name))

    def remove(self, model: DemoModel) -> None:
        """Forget a model; what generates goes on."""
        with self._lock:
            self._models = {key: one for key, one in self._models.items() if one is not model}

    def has_layer(self, digest: str) -> bool:
        """Whether a blob is there, in a model or by itself."""
        return digest in self.blobs or any(
            layer.digest == digest for model in self._models.values() for layer in model.layers
        )

    def tags(self, age: Age) -> list[dict[str, object]]:
        """The list of /api/tags, newest first."""
        return [_tag(model, age) for model in sorted(self._models.values(), key=lambda model: -model.modified)]


def _tag(model: DemoModel, age: Age) -> dict[str, object]:
    """Capabilities and lengths came with v0.30."""
    lengths = {"context_length": model.context_length, "embedding_length": model.embedding_length}
    more: dict[str, object] = {"capabilities": list(model.capabilities)} if age.has("native") else {}
    remote = {"remote_model": model.remote_model, "remote_host": model.remote_host} if model.remote_host else {}
    return {
        "name": model.shown,
        "model": model.shown,
        **remote,
        "modified_at": go_time(model.modified, local_zone()),
        "size": model.size,
        "digest": model.digest,
        "details": {**model.details, **(lengths if age.has("native") else {})},
        **more,
    }


def described(
    model: DemoModel, options: dict[str, object], system: str, age: Age, verbose: bool = False
) -> dict[str, object]:
    """The reply of /api/show, empty parts left out."""
    parameters = "\n".join(f"{key:<30} {_literal(value)}" for key, value in _lines(model.parameters))
    facts = {
        "license": model.license,
        "modelfile": _modelfile(model, options, system or model.system),
        "parameters": parameters,
        "template": model.template,
        "system": system or model.system,
        "details": model.details,
        "messages": [{"role": role, "content": content} for role, content in model.messages],
        "remote_model": model.remote_model,
        "remote_host": model.remote_host,
        "model_info": _model_info(model, verbose),
        "tensors": [{"name": "token_embd.weight", "type": "F16", "shape": [model.embedding_length, 1200]}],
        "capabilities": list(model.capabilities),
        "modified_at": go_time(model.modified, local_zone()),
    }
    later = {"capabilities": "show_capabilities", "tensors": "show_capabilities", "model_info": "model_info"}
    unknown = {key for key, feature in later.items() if not age.has(feature)}
    return {key: value for key, value in facts.items() if key not in unknown and (value or key == "model_info")}


def _lines(parameters: Iterable[tuple[str, object]]) -> list[tuple[str, object]]:
    """A list gives one line per item."""
    return [(key, one) for key, value in parameters for one in (value if isinstance(value, (list, tuple)) else [value])]


def _literal(value: object) -> str:
    return quoted(value) if isinstance(value, str) else _bare(value)


def _bare(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _modelfile(model: DemoModel, options: dict[str, object], system: str) -> str:
    lines = [
        '# Modelfile generated by "ollama show"',
        "# To build a new Modelfile based on this, replace FROM with:",
        f"# FROM {model.shown}\n",
        f"FROM {model.name}",
        f'TEMPLATE """{model.template}"""',
        *([f"SYSTEM {system}"] if system else []),
        *(f"PARAMETER {key} {_bare(value)}" for key, value in _lines((*model.parameters, *options.items()))),
        *([f'LICENSE """{model.license}"""'] if model.license else []),
        *(f"MESSAGE {role} {content}" for role, content in model.messages),
    ]
    return "\n".join(lines) + "\n"


def _model_info(model: DemoModel, verbose: bool) -> dict[str, object]:
    """Long lists are left out unless they are asked for."""
    number, unit = model.parameter_size[:-1], {"K": 1e3, "M": 1e6, "B": 1e9}.get(model.parameter_size[-1:], 0)
    return {
        "general.architecture": model.family,
        "general.file_type": 1,
        "general.parameter_count": int(float(number) * unit) if unit else 0,
        f"{model.family}.context_length": model.context_length,
        f"{model.family}.embedding_length": model.embedding_length,
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.tokens": _TOKENS if verbose else None,
    }
