"""Sizes and times as the command-line tool prints them (dossier §26.4)."""

from __future__ import annotations

import re
from datetime import datetime, timezone

_UNITS = ("B", "KB", "MB", "GB", "TB")
_FRACTION = re.compile(r"\.(\d{1,9})")


def bytes_text(size: int) -> str:
    """Decimal units; below ten one decimal unless whole: `4.7 GB`, `2 GB`, `42 GB`."""
    value, unit = float(size), 0
    while value >= 1000 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    text = f"{value:.1f}".removesuffix(".0") if value < 10 else f"{int(value)}"
    return f"{text} {_UNITS[unit]}"


def ago(stamp: str, now: datetime | None = None) -> str:
    """How long ago a server's time stamp was; empty for one that cannot be read or was never set."""
    then = parse_time(stamp)
    if then is None or then.year <= 1:
        return ""
    return f"{span(((now or datetime.now(timezone.utc)) - then).total_seconds())} ago"


def parse_time(stamp: str) -> datetime | None:
    """Read RFC 3339 with 0 to 9 fractional digits; Python 3.10 takes only 3 or 6 of them (dossier §4)."""
    text = _FRACTION.sub(lambda m: "." + (m[1] + "00000")[:6], stamp).replace("Z", "+00:00")
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def span(seconds: float) -> str:
    """A length of time in the words of the command-line tool."""
    minutes, hours, days = seconds / 60, seconds / 3600, seconds / 86400
    steps = (
        (seconds < 1, "Less than a second"),
        (seconds < 60, _plural(seconds, "second")),
        (minutes < 2, "About a minute"),
        (hours < 1, _plural(minutes, "minute")),
        (hours < 2, "About an hour"),
        (hours < 48, _plural(hours, "hour")),
        (days < 14, _plural(days, "day")),
        (days < 60, _plural(days / 7, "week")),
        (days < 730, _plural(days / 30, "month")),
    )
    return next((text for fits, text in steps if fits), _plural(days / 365, "year"))


def _plural(value: float, noun: str) -> str:
    return f"{int(value)} {noun}" if int(value) == 1 else f"{int(value)} {noun}s"
