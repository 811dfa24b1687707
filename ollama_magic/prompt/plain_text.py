"""Plain text for dates, paths, decimal numbers and the like, and for figures."""

from __future__ import annotations

import datetime as dt
import decimal
import fractions
import pathlib
import uuid
from typing import Any

_WRITTEN = (
    dt.date,
    dt.time,
    dt.timedelta,
    dt.tzinfo,
    pathlib.PurePath,
    decimal.Decimal,
    fractions.Fraction,
    uuid.UUID,
)
_PANDAS = ("Period", "Interval", "NAType")
_NAMED = 10  # most lines of a plot to name


def plain_text(value: Any) -> str | None:
    """Return a value in plain text, a figure by its parts; None for other values."""
    if isinstance(value, _WRITTEN) or _is_scalar(value):
        return str(value)
    if type(value).__module__.startswith("matplotlib.") and not isinstance(value, type):
        return _figure(value) if hasattr(value, "get_size_inches") else _plot(value) if _is_plot(value) else None
    return None


def _is_scalar(value: Any) -> bool:
    """Whether this is a single value of pandas, such as a period, or an address of a network."""
    kind = type(value)
    module = kind.__module__.partition(".")[0]
    return module == "ipaddress" or (module == "pandas" and not hasattr(value, "__len__") and kind.__name__ in _PANDAS)


def _figure(figure: Any) -> str:
    plots = list(figure.axes)
    title = figure.get_suptitle() if hasattr(figure, "get_suptitle") else ""
    head = f"a figure of {_counted(len(plots), 'plot') or 'no plot'}" + (f" “{title}”" if title else "")
    return "; ".join([head, *map(_plot, plots)])


def _is_plot(value: Any) -> bool:
    return hasattr(value, "get_xlabel") and hasattr(value, "get_title")


def _plot(plot: Any) -> str:
    """Describe a plot: its title, its axes and the names of its lines."""
    lines = [str(line.get_label()) for line in plot.get_lines()]
    named = [label for label in lines if not label.startswith("_")][:_NAMED]
    parts = [
        f"“{plot.get_title()}”" if plot.get_title() else "a plot",
        f"x: {plot.get_xlabel()}" if plot.get_xlabel() else "",
        f"y: {plot.get_ylabel()}" if plot.get_ylabel() else "",
        _counted(len(lines), "line") + (f" ({', '.join(named)})" if named else ""),
        _counted(len(plot.patches), "bar"),
        _counted(len(plot.images), "image"),
    ]
    return ", ".join(part for part in parts if part)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}" if number else ""
