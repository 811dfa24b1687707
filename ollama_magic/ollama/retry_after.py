"""The header Retry-After, as seconds or as a date. Pure."""

from __future__ import annotations

import math
import time
from email.utils import parsedate_to_datetime


def retry_seconds(value: str, now: float | None = None) -> float | None:
    """Return the seconds that a server asks to wait; None if it does not say, or says nonsense.

    Args:
        value: The header's text: seconds, or a date as HTTP writes it.
        now: The time in seconds since 1970, by default the current one.

    Example:
        >>> retry_seconds("2")
        2.0
    """
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - (time.time() if now is None else now)
        except (ValueError, TypeError, OverflowError):
            return None
    return max(0.0, seconds) if math.isfinite(seconds) else None
