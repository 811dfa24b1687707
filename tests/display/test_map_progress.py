"""A map's figures and the three ways to show them: never a message for a row, and what stays is a summary."""

from __future__ import annotations

import pytest

from ollama_magic.conversation.reply import COMPLETE, FAILED, STOPPED
from ollama_magic.display.map_progress import MapProgress
from ollama_magic.display.map_status import MAP, settled, status_of, summary
from ollama_magic.display.map_text import TextMapView
from ollama_magic.display.tables import table
from ollama_magic.display.transfer_views import HtmlProgressView
from ollama_magic.display.transfer_widgets import WidgetProgressView
from tests.display.test_transfers import Clock, clock, published

__all__ = ["clock", "published"]


@pytest.fixture
def progress(clock: Clock) -> MapProgress:
    """Two hundred rows of reviews."""
    return MapProgress(200, "reviews", ("text from the rows",), clock=clock)


def answered(progress: MapProgress, rows: int, **more: object) -> None:
    """Rows that have ended."""
    for _ in range(rows):
        progress.finished(**{"complete": True, "cached": False, "tokens": 20, "error": "", **more})


def test_the_status_has_counts_speeds_and_the_time_left(progress, clock) -> None:
    """Done, failed, kept, rows and tokens a second of the last seconds, and when it will end."""
    answered(progress, 40, cached=True, tokens=0)
    status_of(progress)
    for _ in range(10):
        clock.now += 1
        answered(progress, 5)
        status = status_of(progress)
    answered(progress, 2, complete=False, error="it failed")
    status = status_of(progress)
    assert status.whole.figures == "46% · 92 of 200"
    assert status.activity == "2 failed · 40 kept · 5.2 rows/s · 104 tokens/s · 21s left"
    assert status.before == ("text from the rows",)


def test_a_problem_of_a_host_is_seen_while_it_lasts(progress) -> None:
    """It stands in the activity, and is gone when the host is back."""
    progress.problems["gpu2"] = "gpu2 failed 3 times in a row"
    assert "gpu2 failed 3 times" in status_of(progress).activity
    progress.problems["gpu2"] = ""
    assert "gpu2" not in status_of(progress).activity


def test_what_stays_is_a_summary_the_reasons_and_the_first_rows(progress) -> None:
    """No time and no speed stays in the file; hostile text is inert."""
    answered(progress, 190)
    answered(progress, 8, complete=False, error="<script>alert(1)</script>")
    answered(progress, 2, complete=False, error="it is not JSON")
    progress.end(COMPLETE)
    progress.first_rows = lambda: table(("text", "mood"), [("<b>fine</b>", "good")], total=200)
    shown = settled(progress)
    assert shown.text.splitlines()[:4] == [
        "text from the rows",
        "reviews: 190 answers, 10 failed.",
        "8 × <script>alert(1)</script>",
        "2 × it is not JSON",
    ]
    assert "… 199 more" in shown.text
    assert "<script>" not in shown.html
    assert "<b>fine" not in shown.html


def test_a_stop_says_how_much_is_left(progress) -> None:
    """What was done is counted, and so is what is not saved or was cut."""
    answered(progress, 50)
    progress.unsaved, progress.cut = 3, 2
    progress.end(STOPPED)
    assert summary(progress) == (
        "reviews: 50 answers, stopped, 150 of 200 left, a value was cut in 2 rows, 3 answers not saved."
    )


def test_what_could_not_begin_shows_nothing(progress) -> None:
    """The error of the cell says it all."""
    progress.end(FAILED, RuntimeError())
    assert settled(progress).text == ""


def test_lines_for_a_terminal(progress, clock, capsys) -> None:
    """A map of two hundred rows is a handful of lines, however often it is painted."""
    view = TextMapView()
    view.begin(progress, lambda: None)
    for _ in range(200):
        answered(progress, 1)
        clock.now += 0.1
        view.show(progress)
    progress.end(COMPLETE)
    view.finish(progress)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "text from the rows"
    assert lines[1].startswith("  25% · 50 of 200 · 10 rows/s · 200 tokens/s · 15s left")
    assert lines[-1] == "reviews: 200 answers."
    assert len(lines) == 5


def test_widgets_send_at_most_ten_messages_a_second(progress, clock, published, sent) -> None:
    """A thousand rows a second are painted as rarely as one; a page that cannot show widgets gets HTML."""
    view = WidgetProgressView(HtmlProgressView(MAP))
    view.begin(progress, lambda: None)
    began, made, seconds = clock.now, len(sent), 0.0
    for _ in range(19):
        answered(progress, 10)
        pause = view.show(progress)
        clock.now += pause
        seconds = clock.now - began
    assert (len(sent) - made) / seconds <= 10
    progress.end(COMPLETE)
    view.finish(progress)
    assert published[-1][1]["text/plain"].splitlines()[1] == "reviews: 190 answers."
