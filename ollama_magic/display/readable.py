"""Sizes, counts and times as the command-line tool prints them (protocol.md §26.4), to the letter at every boundary."""

from __future__ import annotations

import math
import re
from datetime import datetime, timezone

from ollama_magic.turns.wording import counted

_UNITS = (("TB", 10**12), ("GB", 10**9), ("MB", 10**6), ("KB", 10**3))
_FRACTION = re.compile(r"\.(\d{1,9})")


def bytes_text(size: int) -> str:
    """Decimal units; below ten one decimal unless whole: `4.7 GB`, `2 GB`, `42 GB`."""
    for unit, bound in _UNITS:
        if size >= bound:
            value = size / bound
            return f"{value:.1f} {unit}" if value < 10 and size % bound else f"{int(value)} {unit}"
    return f"{size} B"


def count_text(number: int) -> str:
    """Billions with one decimal unless whole, millions with two, thousands with none: `3.2B`, `137.22M`, `12K`."""
    for unit, bound, decimals in (("B", 10**9, 1), ("M", 10**6, 2), ("K", 10**3, 0)):
        if number >= bound:
            return f"{number / bound:.{decimals if number % bound else 0}f}{unit}"
    return str(number)


def ago(stamp: str, now: datetime | None = None) -> str:
    """When a server's time stamp was or will be; "Never" for the year 1, empty for what is no time."""
    then = parse_time(stamp)
    if then is None:
        return ""
    if then.year <= 1:
        return "Never"
    seconds = ((now or datetime.now(timezone.utc)) - then).total_seconds()
    if seconds < 0:
        return "Forever" if int(-seconds // 3600) // 24 // 365 > 20 else f"{span(-seconds)} from now"
    return f"{span(seconds)} ago"


def until(stamp: str, now: datetime | None = None) -> str:
    """When a loaded model will be unloaded: "Stopping..." if that is past."""
    then = parse_time(stamp)
    if then is not None and then < (now or datetime.now(timezone.utc)):
        return "Stopping..."
    return ago(stamp, now)


def parse_time(stamp: str) -> datetime | None:
    """Read RFC 3339 with 0 to 9 fractional digits; Python 3.10 takes only 3 or 6 of them (protocol.md §4)."""
    text = _FRACTION.sub(lambda m: "." + (m[1] + "00000")[:6], stamp).replace("Z", "+00:00")
    try:
        then = datetime.fromisoformat(text)
    except ValueError:
        return None
    return then if then.tzinfo else then.replace(tzinfo=timezone.utc)


def span(seconds: float) -> str:
    """A length of time in the words of the command-line tool; hours are rounded, everything else is cut."""
    minutes, hours = int(seconds / 60), math.floor(seconds / 3600 + 0.5)
    steps = (
        (seconds < 1, "Less than a second"),
        (seconds < 60, counted(int(seconds), "second")),
        (minutes == 1, "About a minute"),
        (minutes < 60, f"{minutes} minutes"),
        (hours == 1, "About an hour"),
        (hours < 48, f"{hours} hours"),
        (hours < 24 * 14, f"{hours // 24} days"),
        (hours < 24 * 60, f"{hours // 24 // 7} weeks"),
        (hours < 24 * 730, f"{hours // 24 // 30} months"),
    )
    return next((text for fits, text in steps if fits), f"{int(seconds / 3600) // 24 // 365} years")


def processor(size: int, in_vram: int) -> str:
    """Where a loaded model is computed: `100% GPU`, `25%/75% CPU/GPU` (protocol.md §15.2)."""
    if in_vram == 0:
        return "100% CPU"
    if in_vram == size:
        return "100% GPU"
    if in_vram > size or size == 0:
        return "Unknown"
    on_cpu = math.floor((size - in_vram) / size * 100 + 0.5)
    return f"{on_cpu}%/{100 - on_cpu}% CPU/GPU"


def time_left(seconds: float) -> str:
    """How long a download will go on, in two units at most: `45s`, `2m10s`, `1h5m`, `99h+`."""
    if seconds >= 100 * 3600:
        return "99h+"
    if seconds >= 3600:
        return f"{int(seconds // 3600)}h{int(seconds // 60) % 60}m"
    whole = math.floor(seconds + 0.5)
    return f"{whole // 60}m{whole % 60}s" if whole >= 60 else f"{whole}s"
