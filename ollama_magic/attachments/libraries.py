"""The libraries that some sources need: imported at first use, and named where they are missing."""

from __future__ import annotations

import logging
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ollama_magic.attachments.reading import Reading

EXTRA = '`pip install "ollama_magic[files]"` brings it'


def pillow() -> Any:
    """Return the module `PIL.Image`, or None if Pillow is not installed."""
    try:
        from PIL import Image
    except ImportError:
        return None
    return Image


def needed_pillow(what: str, reading: Reading) -> Any:
    """Return the module `PIL.Image`, or refuse the source, of which `what` says why it is needed."""
    module = pillow()
    if module is None:
        raise reading.refusal(f"{what} needs Pillow; `pip install pillow` brings it")
    return module


def numpy(reading: Reading) -> Any:
    """Return NumPy, or refuse the source."""
    try:
        import numpy as np
    except ImportError:
        raise reading.refusal("reading its numbers needs NumPy; `pip install numpy` brings it") from None
    return np


def pandas() -> Any:
    """Return pandas, or None if it is not installed."""
    try:
        import pandas as pd
    except ImportError:
        return None
    return pd


@contextmanager
def quiet(library: str) -> Iterator[None]:
    """Hide warnings and what a library logs about small faults of a file, which would stand in the cell."""
    logger = logging.getLogger(library)
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
