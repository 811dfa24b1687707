"""Which models are loaded, with which options, and until when; one entry for each weights file."""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ollama_magic.demo.transport.go_format import go_time, local_zone

if TYPE_CHECKING:
    from collections.abc import Callable

    from ollama_magic.demo.models.model_card import DemoModel

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
    timer: threading.Timer | None = field(default=None, repr=False)

    @property
    def end(self) -> float:
        """When it will be unloaded, in seconds of the clock."""
        return self.expires if self.expires < math.inf else time.time() + min(self.keep, _FOR_EVER)


class LoadedModels:
    """The loaded models, by their weights; `unloaded` is called with each that was unloaded. Safe from any thread."""

    def __init__(self, unloaded: Callable[[DemoModel], None]) -> None:
        self._unloaded = unloaded
        self._lock = threading.Lock()
        self._loaded: dict[str, _Loaded] = {}

    def load(self, model: DemoModel, options: dict[str, object], keep: float | None) -> bool:
        """Mark the model as loaded and busy.

        Args:
            model: The model.
            options: Those of the request; some of them count at load time.
            keep: How many seconds it stays loaded after its last request; None keeps what an earlier request set.

        Returns:
            Whether it must be loaded, or loaded again because a load-time option differs.
        """
        window = model.window(options)
        merged = {**dict(model.parameters), **options}
        wanted = (window, *(merged.get(key, default) for key, default in _DEFAULTS.items()))
        with self._lock:
            loaded = self._alive(model.weights)
            fresh = loaded is None or loaded.wanted != wanted
            if loaded is None or fresh:
                loaded = self._loaded[model.weights] = _Loaded(model, wanted, window)
            loaded.busy += 1
            loaded.expires = math.inf
            if loaded.timer:
                loaded.timer.cancel()
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
                if loaded.keep < threading.TIMEOUT_MAX:
                    loaded.timer = threading.Timer(loaded.keep, self._expire, (loaded,))
                    loaded.timer.daemon = True
                    loaded.timer.start()

    def unload(self, model: DemoModel) -> None:
        """Take the weights out of memory."""
        with self._lock:
            loaded = self._loaded.pop(model.weights, None)
        if loaded:
            if loaded.timer:
                loaded.timer.cancel()
            self._unloaded(model)

    def unload_all(self) -> None:
        """The server ends."""
        for loaded in list(self._loaded.values()):
            self.unload(loaded.model)

    def _expire(self, loaded: _Loaded) -> None:
        with self._lock:
            expired = not loaded.busy and self._loaded.get(loaded.model.weights) is loaded
        if expired:
            self.unload(loaded.model)

    def _alive(self, weights: str) -> _Loaded | None:
        loaded = self._loaded.get(weights)
        return loaded if loaded and (loaded.busy or loaded.expires > time.time()) else None

    def running(self, size: Callable[[DemoModel], int]) -> list[dict[str, object]]:
        """The list of `/api/ps`, longest remaining first; `size` says how many bytes a loaded model takes."""
        with self._lock:
            alive = sorted(filter(None, map(self._alive, self._loaded)), key=lambda one: -one.end)
        return [
            {
                "name": one.model.shown,
                "model": one.model.shown,
                "size": size(one.model),
                "digest": one.model.digest,
                "details": one.model.details,
                "expires_at": go_time(int(one.end * 1e6) * 1000, local_zone()),
                "size_vram": 0,
                "context_length": one.context_length,
            }
            for one in alive
        ]
