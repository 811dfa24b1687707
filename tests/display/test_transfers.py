"""A download's figures, folded from the server's lines, and the three ways to show them."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest

from ollama_magic.conversation.reply import COMPLETE, FAILED, STOPPED
from ollama_magic.display.transfer import LAYERS, Transfer
from ollama_magic.display.transfer_status import ending, settled, status_of
from ollama_magic.display.transfer_views import TRANSFER, HtmlProgressView, TextTransferView
from ollama_magic.display.transfer_widgets import WidgetProgressView
from ollama_magic.display.views import open_transfer_view
from tests.display.replies import leaves

MB = 10**6
ONE, TWO = "sha256:1", "sha256:2"


@dataclass(frozen=True)
class Line:
    status: str
    digest: str = ""
    total: int | None = None
    completed: int | None = None


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def transfer(clock):
    return Transfer("gemma3:1b", clock=clock)


@pytest.fixture
def published(monkeypatch, shell):
    """What is sent to one place: bundles with their display id."""
    sent = []

    def send(bundle, *, raw, display_id):
        assert raw
        sent.append((display_id, bundle))

    monkeypatch.setattr("IPython.display.display", send)
    monkeypatch.setattr("IPython.display.update_display", send)
    return sent


def layer(digest, completed, total=100 * MB):
    return Line(f"pulling {digest[-1]}", digest, total, completed)


def test_a_layer_is_whole_when_the_next_thing_comes(transfer):
    """A layer whose last line is missing counts as whole when the next status or digest comes."""
    for line in (Line("pulling manifest"), layer(ONE, None), layer(ONE, 90 * MB), layer(TWO, None)):
        transfer.take(line)
    assert [one.completed for one in transfer.layers.values()] == [100 * MB, 0]
    transfer.take(Line("verifying sha256 digest"))
    assert [one.whole for one in transfer.layers.values()] == [True, True]


def test_an_end_that_is_no_success_makes_nothing_whole(transfer):
    """A download that failed or was stopped keeps the share that it had, and its first end counts."""
    transfer.take(layer(ONE, 40 * MB))
    transfer.end(FAILED, ValueError("disk"))
    transfer.end(COMPLETE)
    assert (transfer.state, transfer.completed) == (FAILED, 40 * MB)
    assert ending(transfer) == "`gemma3:1b`: failed at 40%, 40 MB of 100 MB."


def test_speed_and_time_left(transfer, clock):
    """Speed is that of the last ten seconds, and the time left follows from it."""
    for second in range(21):
        clock.now = 100.0 + second
        transfer.take(layer(ONE, second * (1 if second < 10 else 2) * MB))
    assert transfer.speed == pytest.approx(2 * MB)
    assert transfer.left == pytest.approx(30)
    assert status_of(transfer).whole.figures == "40% · 40 MB of 100 MB"
    assert status_of(transfer).activity == "2 MB/s · 30s left"


def test_what_was_there_before_is_no_speed(transfer, clock):
    """A resumed download starts at its share, and its speed counts only what comes now."""
    transfer.take(layer(ONE, 50 * MB))
    clock.now += 2
    transfer.take(layer(ONE, 52 * MB))
    assert transfer.speed == pytest.approx(MB)
    assert status_of(transfer).whole.figures == "52% · 52 MB of 100 MB"
    assert status_of(transfer).activity == "1 MB/s · 48s left"


def test_a_part_that_is_downloaded_again_is_no_speed(transfer, clock):
    """Where a server counts backwards, neither the speed nor the time left falls below nothing."""
    transfer.take(layer(ONE, 60 * MB))
    clock.now += 2
    transfer.take(layer(ONE, 40 * MB))
    assert transfer.speed == 0
    assert status_of(transfer).pace == "0 B/s"


def test_layers_that_were_there_have_no_speed(transfer, clock):
    """Layers that the server has already are whole at once, without a speed or a time left."""
    for digest in (ONE, TWO):
        transfer.take(layer(digest, 100 * MB))
        clock.now += 1
    assert transfer.speed is None
    assert transfer.left is None
    assert status_of(transfer).whole.figures == "100% · 200 MB"


def test_never_whole_while_a_byte_is_missing(transfer):
    """All is said to be there only when the last byte is."""
    transfer.take(layer(ONE, 10**9 - 1, 10**9))
    assert status_of(transfer).whole.figures.startswith("99% · ")


def test_a_silent_step_shows_a_clock(transfer, clock):
    """From two seconds on a step that moves no bar shows how long it takes."""
    assert status_of(transfer).activity == "asking the server…"
    transfer.take(Line("verifying sha256 digest"))
    clock.now += 12.5
    assert status_of(transfer).activity == "verifying sha256 digest · 12 s"


HOSTILE = [
    Line("pulling x", ONE, 10, 2**62),
    Line("pulling x", ONE, None, 5),
    Line("pulling x", ONE, 0, 0),
    Line("<script>alert(1)</script>\x1b[2J\n", TWO, 10, 5),
    Line("x" * 10**6, "y" * 10**6, 5, None),
]


def test_hostile_lines(transfer, published):
    """Lines with too much, too little or markup in them do no harm."""
    for line in HOSTILE:
        transfer.take(line)
    HtmlProgressView(TRANSFER).begin(transfer, lambda: None)
    html = "".join(published[-1][1].values())
    assert "<script" not in html
    assert "\x1b" not in html
    assert len(html) < 5000
    assert 0 <= transfer.completed <= transfer.total


def test_very_many_layers(transfer):
    """A model that names a hundred thousand layers is followed as far as is sensible."""
    for number in range(100_000):
        transfer.take(Line("pulling", str(number), 10, 5))
    assert len(transfer.layers) == LAYERS


def test_what_stays(transfer):
    """At the end one line stays, with the layers folded and without times; nothing if nothing had come."""
    transfer.take(layer(ONE, None))
    transfer.take(layer(TWO, None, 500))
    transfer.end(COMPLETE)
    shown = settled(transfer)
    assert shown.text == "`gemma3:1b` is here: 100 MB in 2 layers."
    summary = "<summary><small><code>gemma3:1b</code> is here: 100 MB in 2 layers.</small></summary>"
    assert f"<details>{summary}<table>" in shown.html
    assert not re.search("style|script|data-|class|[0-9]&nbsp;s|[0-9] s", shown.html)
    nothing = Transfer("x")
    nothing.end(STOPPED)
    assert settled(nothing).html == ""


def run(view, transfer, lines, state=COMPLETE, clock=None):
    """Show each line of a transfer, then its end."""
    rests = []
    view.begin(transfer, lambda: None)
    for line in lines:
        transfer.take(line)
        rests.append(view.show(transfer))
        if clock:
            clock.now += 1
    transfer.end(state)
    view.finish(transfer)
    return rests


def steps():
    yield Line("pulling manifest")
    for share in range(101):
        yield layer(ONE, share * MB)
    yield from (layer(TWO, None, 358), Line("verifying sha256 digest"), Line("writing manifest"), Line("success"))


def test_lines(transfer, clock, capsys):
    """In a script a download is a dozen of lines: its steps, quarters, and how it ended."""
    run(TextTransferView(), transfer, steps(), clock=clock)
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        "pulling manifest",
        "pulling 1 (100 MB)",
        "  25% · 25 MB of 100 MB · 1 MB/s · 1m15s left",
        "  50% · 50 MB of 100 MB · 1 MB/s · 50s left",
        "  75% · 75 MB of 100 MB · 1 MB/s · 25s left",
        "pulling 2 (358 B)",
        "verifying sha256 digest",
        "writing manifest",
        "`gemma3:1b` is here: 100 MB in 2 layers.",
    ]


def test_lines_of_a_failure(transfer, capsys):
    """A download that failed never says that it is here."""
    run(TextTransferView(), transfer, [layer(ONE, 30 * MB)], FAILED)
    assert "is here" not in (out := capsys.readouterr().out)
    assert out.endswith("`gemma3:1b`: failed at 30%, 30 MB of 100 MB.\n")


def test_updated_html(transfer, published):
    """Without widgets one place is updated at most twice a second, and ends with the static bundle."""
    rests = run(HtmlProgressView(TRANSFER), transfer, steps())
    assert min(rests) >= 0.5
    assert len({place for place, _ in published}) == 1
    assert '<progress max="1" value="0.500">' in published[52][1]["text/html"]
    assert published[-1][1] == settled(transfer)._repr_mimebundle_()


def test_bars(transfer, published, sent, clock):
    """With widgets a paint sends at most the whole, a bar and the step; ten times a second, then the static bundle."""
    view = WidgetProgressView(HtmlProgressView(TRANSFER))
    rests = run(view, transfer, steps(), clock=clock)
    assert min(rests) >= 0.1
    assert [set(bundle) for _, bundle in published] == [
        {"text/html", "text/plain"},
        {"application/vnd.jupyter.widget-view+json", "text/plain"},
        {"text/html", "text/plain"},
    ]
    assert view.root.children[-1].value == published[-1][1]["text/html"]
    assert len(sent) < 3.5 * 106


def test_what_is_done_at_once(transfer, published, clock):
    """What ends within a blink needs no widgets: a page would still be building them, and log errors."""
    run(WidgetProgressView(HtmlProgressView(TRANSFER)), transfer, [layer(ONE, 100 * MB)])
    assert [set(bundle) for _, bundle in published] == [{"text/html", "text/plain"}] * 2
    assert len({place for place, _ in published}) == 1


def test_a_bar_for_each_layer(transfer, published):
    """While it runs each layer has a bar with a name that is read out, and the whole has one."""
    view = WidgetProgressView(HtmlProgressView(TRANSFER))
    view.begin(transfer, lambda: None)
    for line in (layer(ONE, 100 * MB), layer(TWO, 25 * MB)):
        transfer.take(line)
    view.show(transfer)
    bars = [leaf.value for leaf in leaves(view.root) if "<progress" in getattr(leaf, "value", "")]
    assert ['aria-label="gemma3:1b"' in bars[0], 'aria-label="pulling 2"' in bars[2]] == [True, True]
    assert ['value="0.625"' in bars[0], 'value="1.000"' in bars[1], 'value="0.250"' in bars[2]] == [True, True, True]


def test_a_failing_display_is_replaced(transfer, published, monkeypatch):
    """Where widgets fail, the download goes on in plain HTML."""
    monkeypatch.setattr("ollama_magic.display.transfer_widgets.WidgetFactory", lambda: 1 / 0)
    view = open_transfer_view("widget")
    with pytest.warns(RuntimeWarning, match="in a simpler form"):
        view.begin(transfer, lambda: None)
    transfer.end(COMPLETE)
    view.finish(transfer)
    assert published[-1][1]["text/plain"] == "`gemma3:1b` is here."
