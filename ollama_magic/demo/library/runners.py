"""Which models are loaded, with which options, and until when; one runner for each weights file; no I/O."""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ollama_magic.demo.wire.go import go_time, local_zone

if TYPE_CHECKING:
    from ollama_magic.demo.library.models import DemoModel

_FIVE_MINUTES = 300.0
_FOR_EVER = 9_223_372_036  # seconds: Go's longest duration, some 292 years
_DEFAULTS = {"num_batch": 512, "num_gpu": -1, "main_gpu": None, "use_mmap": None, "num_thread": 0, "shift": True}


@dataclass
class _Loaded:
    model: DemoModel
    wanted: tuple[object, ...]
    context_length: int
    keep: float = _FIVE_MINUTES
    expires: float = math.inf
    busy: int = 0


class Runners:
    """The loaded models, by their weights; safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loaded: dict[str, _Loaded] = {}

    def load(self, model: DemoModel, options: dict[str, object], keep: float | None) -> bool:
        """Make the model ready and busy; True if it had to be loaded, or loaded anew for its load-time options."""
        window = model.window(options)
        given = {**dict(model.parameters), **options}
        wanted = (window, *(given.get(key, default) for key, default in _DEFAULTS.items()))
        with self._lock:
            loaded = self._alive(model.weights)
            fresh = loaded is None or loaded.wanted != wanted
            if loaded is None or fresh:
                loaded = self._loaded[model.weights] = _Loaded(model, wanted, window)
            loaded.busy += 1
            loaded.expires = math.inf
            if keep is not None:
                loaded.keep = keep
            return fresh

    def release(self, model: DemoModel) -> None:
        """A request has ended: its model's time runs from now on."""
        with self._lock:
            loaded = self._loaded.get(model.weights)
            if loaded is None:
                return
            loaded.busy = max(0, loaded.busy - 1)
            if not loaded.busy:
                loaded.expires = time.time() + min(loaded.keep, _FOR_EVER)

    def unload(self, model: DemoModel) -> None:
        """Take the weights out of memory; a running answer goes on."""
        with self._lock:
            self._loaded.pop(model.weights, None)

    def _alive(self, weights: str) -> _Loaded | None:
        loaded = self._loaded.get(weights)
        return loaded if loaded and (loaded.busy or loaded.expires > time.time()) else None

    def running(self) -> list[dict[str, object]]:
        """The list of /api/ps, longest remaining first."""
        with self._lock:
            self._loaded = {key: one for key, one in self._loaded.items() if self._alive(key)}
            alive = sorted(self._loaded.values(), key=lambda one: -_end(one))
        return [_running(one) for one in alive]


def _end(loaded: _Loaded) -> float:
    return loaded.expires if loaded.expires < math.inf else time.time() + min(loaded.keep, _FOR_EVER)


def _running(loaded: _Loaded) -> dict[str, object]:
    return {
        "name": loaded.model.shown,
        "model": loaded.model.shown,
        "size": loaded.model.size,
        "digest": loaded.model.digest,
        "details": loaded.model.details,
        "expires_at": go_time(int(_end(loaded) * 1e6) * 1000, local_zone()),
        "size_vram": 0,
        "context_length": loaded.context_length,
    }
