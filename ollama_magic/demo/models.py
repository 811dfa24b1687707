"""The models that the server has, and which of them are loaded until when; no I/O."""

from __future__ import annotations

import hashlib
import math
import threading
import time
from dataclasses import dataclass

from ollama_magic.demo.go import go_time, local_zone, quoted
from ollama_magic.demo.names import read_name

_FIVE_MINUTES = 300.0
_FOR_EVER = 9_223_372_036  # seconds: Go's longest duration, some 292 years
_LOAD_TIME_OPTIONS = ("num_ctx", "num_batch", "num_gpu", "main_gpu", "use_mmap", "num_thread")
_TEMPLATE = "{{- range .Messages }}<|im_start|>{{ .Role }}\n{{ .Content }}<|im_end|>\n{{ end }}<|im_start|>assistant\n"


@dataclass(frozen=True)
class DemoModel:
    """A model as show tells of it; `system` and `messages` are put in front of what a request sends."""

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

    @property
    def digest(self) -> str:
        """64 hex digits that are this model's own."""
        return hashlib.sha256(repr((self.name, self.template, self.system, self.messages)).encode()).hexdigest()

    @property
    def details(self) -> dict[str, object]:
        """As ps and show have it; tags adds the two lengths."""
        return {
            "parent_model": "",
            "format": "gguf",
            "family": self.family,
            "families": [self.family],
            "parameter_size": self.parameter_size,
            "quantization_level": self.quantization,
        }


DEMO = DemoModel(
    "demo",
    capabilities=("completion", "thinking"),
    license="Scripted replies of ollama_magic's demo server: no language model.",
    parameters=(("temperature", 0), ("stop", "<|im_end|>")),
)
PLAIN = DemoModel("demo-plain")
EMBEDDING = DemoModel("demo-embed", capabilities=("embedding",))


@dataclass
class _Loaded:
    model: DemoModel
    shown: str
    options: tuple[object, ...]
    context_length: int
    keep: float = _FIVE_MINUTES
    expires: float = math.inf
    busy: int = 0


class ModelStore:
    """All models, by name; safe from any thread."""

    def __init__(self, models: tuple[DemoModel, ...]) -> None:
        self._lock = threading.Lock()
        self._made = time.time_ns()
        self._models: dict[str, DemoModel] = {}
        self._loaded: dict[str, _Loaded] = {}
        for model in models:
            name = read_name(model.name)
            if name is None:
                raise ValueError(f"{model.name!r} is no model name")
            self._models[name.key] = model

    def find(self, name: str) -> DemoModel | None:
        """The model of that name, in whatever case, with or without its tag."""
        read = read_name(name)
        return self._models.get(read.key) if read else None

    def load(self, model: DemoModel, options: dict[str, object], keep: float | None) -> bool:
        """Make the model ready and busy; True if it had to be loaded, or loaded anew for its options."""
        wanted = tuple(options.get(key) for key in _LOAD_TIME_OPTIONS)
        with self._lock:
            loaded = self._alive(model)
            fresh = loaded is None or loaded.options != wanted
            if loaded is None or fresh:
                loaded = _Loaded(model, _shown(model), wanted, self.context_of(model, options))
                self._loaded[model.name] = loaded
            loaded.busy += 1
            loaded.expires = math.inf
            if keep is not None:
                loaded.keep = keep
            return fresh

    def release(self, model: DemoModel) -> None:
        """A request has ended: its model's time runs from now on."""
        with self._lock:
            loaded = self._loaded.get(model.name)
            if loaded is None:
                return
            loaded.busy = max(0, loaded.busy - 1)
            if not loaded.busy:
                loaded.expires = time.time() + min(loaded.keep, _FOR_EVER)

    def unload(self, model: DemoModel) -> None:
        """Take the model out of memory; a running answer goes on."""
        with self._lock:
            self._loaded.pop(model.name, None)

    def _alive(self, model: DemoModel) -> _Loaded | None:
        loaded = self._loaded.get(model.name)
        return loaded if loaded and (loaded.busy or loaded.expires > time.time()) else None

    @staticmethod
    def context_of(model: DemoModel, options: dict[str, object]) -> int:
        """Tokens of the context window: as asked, never more than the model was trained for."""
        asked = options.get("num_ctx", 4096)
        return max(4, min(asked if isinstance(asked, int) else 4096, model.context_length))

    def tags(self) -> list[dict[str, object]]:
        """The list of /api/tags, newest first."""
        items = [(self._modified(model), model) for model in self._models.values()]
        return [_tag(model, modified) for modified, model in sorted(items, key=lambda item: -item[0])]

    def _modified(self, model: DemoModel) -> int:
        """The first model given is the newest, each next one a second older."""
        position = list(self._models.values()).index(model)
        return model.modified or self._made - position * 1_000_000_000

    def running(self) -> list[dict[str, object]]:
        """The list of /api/ps, longest remaining first."""
        with self._lock:
            self._loaded = {key: one for key, one in self._loaded.items() if self._alive(one.model)}
            alive = sorted(self._loaded.values(), key=lambda one: -_end(one))
        return [_running(one) for one in alive]

    def show(self, model: DemoModel, options: dict[str, object], system: str) -> dict[str, object]:
        """The reply of /api/show, empty parts left out."""
        parameters = "\n".join(f"{key:<30} {_literal(value)}" for key, value in model.parameters)
        facts = {
            "license": model.license,
            "modelfile": _modelfile(model, options, system or model.system),
            "parameters": parameters,
            "template": model.template,
            "system": system or model.system,
            "details": model.details,
            "messages": [{"role": role, "content": content} for role, content in model.messages],
            "model_info": _model_info(model),
            "tensors": [{"name": "token_embd.weight", "type": "F16", "shape": [model.embedding_length, 1200]}],
            "capabilities": list(model.capabilities),
            "modified_at": go_time(self._modified(model), local_zone()),
        }
        return {key: value for key, value in facts.items() if value or key == "model_info"}


def _shown(model: DemoModel) -> str:
    name = read_name(model.name)
    return name.shown if name else model.name


def _tag(model: DemoModel, modified: int) -> dict[str, object]:
    lengths = {"context_length": model.context_length, "embedding_length": model.embedding_length}
    return {
        "name": _shown(model),
        "model": _shown(model),
        "modified_at": go_time(modified, local_zone()),
        "size": model.size,
        "digest": model.digest,
        "details": {**model.details, **lengths},
        "capabilities": list(model.capabilities),
    }


def _end(loaded: _Loaded) -> float:
    return loaded.expires if loaded.expires < math.inf else time.time() + min(loaded.keep, _FOR_EVER)


def _running(loaded: _Loaded) -> dict[str, object]:
    return {
        "name": loaded.shown,
        "model": loaded.shown,
        "size": loaded.model.size,
        "digest": loaded.model.digest,
        "details": loaded.model.details,
        "expires_at": go_time(int(_end(loaded) * 1e6) * 1000, local_zone()),
        "size_vram": 0,
        "context_length": loaded.context_length,
    }


def _literal(value: object) -> str:
    return quoted(value) if isinstance(value, str) else str(value)


def _modelfile(model: DemoModel, options: dict[str, object], system: str) -> str:
    lines = [
        '# Modelfile generated by "ollama show"',
        "# To build a new Modelfile based on this, replace FROM with:",
        f"# FROM {_shown(model)}\n",
        f"FROM {model.name}",
        f'TEMPLATE """{model.template}"""',
        *([f"SYSTEM {system}"] if system else []),
        *(f"PARAMETER {key} {value}" for key, value in (*model.parameters, *options.items())),
        *(f"MESSAGE {role} {content}" for role, content in model.messages),
    ]
    return "\n".join(lines) + "\n"


def _model_info(model: DemoModel) -> dict[str, object]:
    return {
        "general.architecture": model.family,
        "general.file_type": 1,
        "general.parameter_count": 0,
        f"{model.family}.context_length": model.context_length,
        f"{model.family}.embedding_length": model.embedding_length,
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.tokens": None,
    }
