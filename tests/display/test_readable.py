"""Sizes, counts and times to the letter of the command-line tool, at every boundary."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from ollama_magic.display.readable import ago, bytes_text, count_text, parse_time, processor, span, time_left, until

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=timezone.utc)
MINUTE, HOUR, DAY = 60, 3600, 86400


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 KB"),
        (1001, "1.0 KB"),
        (1500, "1.5 KB"),
        (9949, "9.9 KB"),
        (9951, "10.0 KB"),
        (10_000, "10 KB"),
        (10_999, "10 KB"),
        (999_999, "999 KB"),
        (1_000_000, "1 MB"),
        (815_319_791, "815 MB"),
        (999_999_999, "999 MB"),
        (2_000_000_000, "2 GB"),
        (4_661_224_676, "4.7 GB"),
        (42_520_413_916, "42 GB"),
        (10**12, "1 TB"),
        (1500 * 10**12, "1500 TB"),
    ],
)
def test_sizes(size, text):
    """Sizes are decimal, with one digit behind the point below ten, unless they are whole."""
    assert bytes_text(size) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (999, "999"),
        (1000, "1K"),
        (1499, "1K"),
        (1501, "2K"),
        (999_499, "999K"),
        (1_000_000, "1M"),
        (136_730_000, "136.73M"),
        (999_990_000, "999.99M"),
        (8_000_000_000, "8B"),
        (3_212_749_888, "3.2B"),
    ],
)
def test_counts(number, text):
    """Counts of parameters have one digit behind the point from a billion on, two from a million, else none."""
    assert count_text(number) == text


SPANS = [
    (0, "Less than a second"),
    (0.999, "Less than a second"),
    (1, "1 second"),
    (1.9, "1 second"),
    (59.9, "59 seconds"),
    (MINUTE, "About a minute"),
    (2 * MINUTE - 0.1, "About a minute"),
    (2 * MINUTE, "2 minutes"),
    (HOUR - 0.1, "59 minutes"),
    (HOUR, "About an hour"),
    (1.5 * HOUR - 1, "About an hour"),
    (1.5 * HOUR, "2 hours"),
    (47.5 * HOUR - 1, "47 hours"),
    (47.5 * HOUR, "2 days"),
    (14 * DAY - 0.5 * HOUR - 1, "13 days"),
    (14 * DAY, "2 weeks"),
    (60 * DAY - HOUR, "8 weeks"),
    (60 * DAY, "2 months"),
    (730 * DAY - HOUR, "24 months"),
    (730 * DAY, "2 years"),
    (3 * 365 * DAY - 1, "2 years"),
]


@pytest.mark.parametrize(("seconds", "text"), SPANS)
def test_spans(seconds, text):
    """Spans change their words where the command-line tool's do, forwards and backwards."""
    assert span(seconds) == text
    assert ago((NOW - timedelta(seconds=seconds)).isoformat(), NOW) == f"{text} ago"
    if seconds:
        assert ago((NOW + timedelta(seconds=seconds)).isoformat(), NOW) == f"{text} from now"


@pytest.mark.parametrize(
    ("stamp", "text"),
    [
        ("0001-01-01T00:00:00Z", "Never"),
        ("2319-01-01T00:00:00Z", "Forever"),
        ("9999-12-31T23:59:59-07:00", "Forever"),
        ("2046-11-22T12:00:00Z", "20 years from now"),
        ("2026-11-22T13:00:00.5+01:00", "Less than a second from now"),
        ("2026-11-22T11:57:59.123456789Z", "2 minutes ago"),
        ("2026-11-22T11:57:59", "2 minutes ago"),
        ("", ""),
        ("yesterday", ""),
        ("2026-13-01T00:00:00Z", ""),
    ],
)
def test_stamps(stamp, text):
    """A time stamp has 0 to 9 digits of a second and any offset; what is none, or was never set, is said so."""
    assert ago(stamp, NOW) == text


def test_until():
    """A model whose time is over is stopping, one without an end stays for ever."""
    assert until("2026-11-22T11:59:59Z", NOW) == "Stopping..."
    assert until("2026-11-22T12:04:59Z", NOW) == "4 minutes from now"
    assert until("2318-01-01T00:00:00Z", NOW) == "Forever"
    assert until("nonsense", NOW) == ""


def test_fractions_of_any_length():
    """Fractions of a second are read to the microsecond, whatever their length."""
    whole = parse_time("2026-01-02T03:04:05Z")
    assert whole is not None
    for digits in range(1, 10):
        stamp = f"2026-01-02T03:04:05.{'123456789'[:digits]}Z"
        found = parse_time(stamp)
        assert found is not None
        assert (found - whole).microseconds == int("123456789"[: min(digits, 6)].ljust(6, "0"))


@pytest.mark.parametrize(
    ("size", "vram", "text"),
    [
        (100, 0, "100% CPU"),
        (0, 0, "100% CPU"),
        (100, 100, "100% GPU"),
        (100, 101, "Unknown"),
        (0, 5, "Unknown"),
        (100, 75, "25%/75% CPU/GPU"),
        (1000, 995, "1%/99% CPU/GPU"),
        (1000, 996, "0%/100% CPU/GPU"),
        (1000, 4, "100%/0% CPU/GPU"),
    ],
)
def test_processor(size, vram, text):
    """The column says which share of a model is computed where."""
    assert processor(size, vram) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (0.4, "0s"),
        (59.4, "59s"),
        (59.5, "1m0s"),
        (130, "2m10s"),
        (3599.4, "59m59s"),
        (3600, "1h0m"),
        (3900, "1h5m"),
        (359_999, "99h59m"),
        (360_000, "99h+"),
        (float("inf"), "99h+"),
    ],
)
def test_time_left(seconds, text):
    """The time left has two units at most."""
    assert time_left(seconds) == text
