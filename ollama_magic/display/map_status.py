"""The status of a map for all its views, and its settled form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollama_magic.conversation.reply import COMPLETE, FAILED
from ollama_magic.display.readable import time_left
from ollama_magic.display.tables import Shown, notice, stacked
from ollama_magic.display.transfer_status import CLOCK_FROM_S, Bar, ProgressTexts, TransferStatus
from ollama_magic.foreign import one_line
from ollama_magic.turns.wording import counted

if TYPE_CHECKING:
    from ollama_magic.display.map_progress import MapProgress

REASONS, REASON = 3, 200  # why rows failed: lines, and characters of one
FIGURES = 10  # below it speeds have a decimal


def status_of(progress: MapProgress) -> TransferStatus:
    """Return what is to be shown of a map now."""
    share = progress.done / progress.total if progress.total else 1.0
    amount = f"{progress.done:,} of {progress.total:,}"
    bar = Bar(one_line(progress.label, 60), share, f"{int(share * 100 + 1e-9)}%", amount)
    counts = [f"{progress.failed:,} failed"] if progress.failed else []
    counts += [f"{progress.cached:,} kept"] if progress.cached else []
    counts += [f"{progress.unsaved:,} not saved yet"] if progress.unsaved else []
    problems = [one_line(text, REASON) for text in (*progress.lines, *progress.problems.values()) if text]
    pace = pace_of(progress)
    return TransferStatus(bar, {}, pace, " · ".join([*counts, pace or _clock(progress), *problems]), progress.before)


def pace_of(progress: MapProgress) -> str:
    """Return `12 rows/s · 480 tokens/s · 2m10s left`; empty while that is unknown."""
    speeds = progress.speeds()
    if speeds is None or not speeds[0]:
        return ""
    rows, tokens = speeds
    parts = [f"{_figure(rows)} rows/s"] + ([f"{_figure(tokens)} tokens/s"] if tokens else [])
    left = (progress.total - progress.done) / rows
    return " · ".join([*parts, f"{time_left(left)} left"] if left >= 1 else parts)


def summary(progress: MapProgress) -> str:
    """Return how a map ended, in one line."""
    done = counted(progress.complete, "answer")
    cached = f" ({progress.cached:,} kept from before)" if progress.cached else ""
    parts = [f"{one_line(progress.label, 60)}: {done}{cached}"]
    parts += [f"{progress.failed:,} failed"] if progress.failed else []
    left = progress.total - progress.done
    parts += [f"{progress.state}, {left:,} of {progress.total:,} left"] if progress.state != COMPLETE and left else []
    parts += [f"a value was cut in {counted(progress.cut, 'row')}"] if progress.cut else []
    parts += [f"{counted(progress.unsaved, 'answer')} not saved"] if progress.unsaved else []
    return ", ".join(parts) + "."


def settled(progress: MapProgress) -> Shown:
    """Return the settled form: a summary, why rows failed, what happened to hosts, and the first rows."""
    if progress.state == FAILED and not progress.done:
        return Shown("", "")  # the error says it all
    parts = [notice(line) for line in progress.before]
    parts.append(notice(summary(progress)))
    parts += [notice(f"{number:,} × {one_line(why, REASON)}") for why, number in progress.reasons.most_common(REASONS)]
    parts += [notice(f"… and {len(progress.reasons) - REASONS:,} more reasons")] * (len(progress.reasons) > REASONS)
    parts += [notice(line) for line in (*progress.lines, *progress.problems.values()) if line]
    lines = Shown("".join(part.html for part in parts), "\n".join(part.text for part in parts))
    return stacked(lines, progress.first_rows()) if progress.first_rows is not None and progress.done else lines


def unsettled(progress: MapProgress) -> Shown:
    """Return a line about a map that is running."""
    return notice(f"{one_line(progress.label, 60)}: {progress.counts}; it is running.")


def _figure(number: float) -> str:
    return f"{number:.1f}" if number < FIGURES else f"{number:,.0f}"


def _clock(progress: MapProgress) -> str:
    seconds = progress.clock() - progress.started_at
    return "asking the server…" + (f" · {int(seconds)} s" if seconds >= CLOCK_FROM_S else "")


MAP: ProgressTexts[MapProgress] = ProgressTexts(
    status_of,
    settled,
    "A map is running; if this line stays, run the cell again: what is done is kept.",
    "Stop; what is done is kept, and running the cell again asks for the rest",
    rest=0.4,
)
