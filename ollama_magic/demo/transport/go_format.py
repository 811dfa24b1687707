"""JSON, times and durations as a server in Go writes and reads them; no I/O."""

from __future__ import annotations

import json
import re
import time
from datetime import datetime, timedelta, timezone
from functools import lru_cache

_UNSAFE = re.compile("[<>&\u2028\u2029\ud800-\udfff]")
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)?")
_DURATION = re.compile(rf"[+-]?(?:0|(?:{_PART.pattern[:-1]})+)")
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def go_json(value: object) -> str:
    """JSON as Go's encoder writes it: `<`, `>`, `&`, U+2028 and U+2029 escaped, the rest raw (protocol.md §1)."""
    return _UNSAFE.sub(_escape, _encode(value))


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    return "\ufffd" if 0xD800 <= code <= 0xDFFF else f"\\u{code:04x}"


def go_time(nanoseconds: int, zone: timezone = timezone.utc) -> str:
    """RFC 3339 with up to nine digits, trailing zeros cut (protocol.md §4)."""
    seconds, fraction = divmod(nanoseconds, 1_000_000_000)
    front, offset = _whole_second(seconds, zone)
    return front + f".{fraction:09d}".rstrip("0").rstrip(".") + offset


@lru_cache(64)
def _whole_second(seconds: int, zone: timezone) -> tuple[str, str]:
    moment = (_EPOCH + timedelta(seconds=seconds)).astimezone(zone)
    offset = moment.strftime("%z")
    return moment.strftime("%Y-%m-%dT%H:%M:%S"), "Z" if offset == "+0000" else f"{offset[:3]}:{offset[3:5]}"


def local_zone() -> timezone:
    """The machine's own offset, as the server uses it for `modified_at` and `expires_at`."""
    return timezone(timedelta(seconds=time.localtime().tm_gmtoff or 0))


def go_duration(text: str) -> float:
    """Seconds of a Go duration such as `1h30m`; ValueError for anything else."""
    found = _DURATION.fullmatch(text)
    if not found:
        raise ValueError(f"time: invalid duration {quoted(text)}")
    seconds = sum(float(number) * _UNITS[unit or "s"] for number, unit in _PART.findall(text))
    return -seconds if text.startswith("-") else seconds


def quoted(text: str) -> str:
    """A text in Go's double quotes."""
    return json.dumps(text, ensure_ascii=False)
