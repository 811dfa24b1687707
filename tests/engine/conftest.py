"""One loaded model for the tests of the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ollama_magic.demo.engine.local_model import LocalModel
from tests.engine.local_weights import ONE_THREAD, local_weights

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def weights() -> Path:
    return local_weights()


@pytest.fixture(scope="module")
def model(weights: Path) -> Iterator[LocalModel]:
    model = LocalModel(weights, ONE_THREAD)
    yield model
    model.unload()
