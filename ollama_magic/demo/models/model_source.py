"""A model that a pull fetches for real, and what there is when it has come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from ollama_magic.demo.language_model import LanguageModel
    from ollama_magic.demo.models.model_card import DemoModel


@dataclass(frozen=True)
class ModelSource:
    """How one model is fetched, opened and deleted.

    Args:
        name: Its name, which is pulled.
        digest: What identifies the download, as manifests have it.
        size: The download in bytes.
        fetch: Yields the bytes that have come, several times a second; ModelError if it fails, closing it stops it.
        opened: The model, once it has been fetched; None before.
        deleted: Called when no model needs what was fetched.
    """

    name: str
    digest: str
    size: int
    fetch: Callable[[], Generator[int, None, None]]
    opened: Callable[[], tuple[DemoModel, LanguageModel] | None]
    deleted: Callable[[], None]
