"""Hostile answers in a real browser: while they come, settled, reopened, trusted, exported; and in a terminal."""

from __future__ import annotations

import re
import sys
from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest

from ollama_magic.conversation.reply import COMPLETE, Reply, ReplyStatus
from ollama_magic.display.terminal import TerminalView
from tests.browser.canary import Canary
from tests.browser.inert import HIDDEN, Watched, squeezed
from tests.browser.trial import MARKER, PAYLOADS, PLACES, held, odd_pieces

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

    from tests.browser.inert import Look
    from tests.browser.lab import Lab
    from tests.browser.trial import Trial

pytestmark = pytest.mark.timeout(300)

CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
OUTPUT = "<div class=jp-Cell><div class=jp-OutputArea-output><div class=jp-RenderedHTMLCommon>{}</div></div></div>"


@pytest.fixture(scope="module")
def trial(browser: Browser, lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    """All hostile answers of one notebook, in every place where they are shown."""
    with Canary() as canary:
        yield held(canary, tmp_path_factory.mktemp("trial"), browser, lab)


def of_all(trial: Trial, place: str, must: str) -> dict[str, Look]:
    """The looks of the payloads that must have a property."""
    looks = trial.looks(place)
    return {payload["id"]: looks[payload["id"]] for payload in PAYLOADS if must in payload["must"]}


@pytest.mark.parametrize("place", PLACES)
def test_nothing_runs_and_nothing_is_fetched(trial: Trial, place: str) -> None:
    """No script of an answer runs, nothing is asked of any server, nothing opens, even if all of it is touched."""
    sight = trial.sights[place]
    own = [url for url in sight.requests if place == "exported" and url.startswith("https://cdnjs.cloudflare.com/")]
    assert not sight.scripts
    assert sight.requests == own
    assert not trial.disturbed[place]
    assert (sight.pages, sight.dialogs) == (1, 0)


@pytest.mark.parametrize("place", PLACES)
def test_the_page_holds_nothing_but_our_elements(trial: Trial, place: str) -> None:
    """No answer makes a control, picture, frame, style, name or handler, nor a link but to web, mail or page."""
    wrong = {name: look.wrong for name, look in trial.looks(place).items() if look.wrong}
    assert wrong == {}


@pytest.mark.parametrize("place", PLACES)
def test_it_can_be_read(trial: Trial, place: str) -> None:
    """What an answer says stays readable, and what hides or turns text is a visible mark."""
    looks = trial.looks(place)
    unread = [payload["id"] for payload in PAYLOADS if payload.get("keep", "") not in looks[payload["id"]].read]
    assert unread == []
    assert [name for name, look in looks.items() if HIDDEN.search(look.text)] == []
    for must in ("bidi-visible", "invisible-visible"):
        assert all("⟨U+" in look.read for look in of_all(trial, place, must).values())
    assert all("invalid)" in look.read for look in of_all(trial, place, "shows-target").values())
    assert "more marks⟩" in looks["d-odd-chars-2"].read


@pytest.mark.parametrize("place", PLACES)
def test_it_is_shown_as_written(trial: Trial, place: str) -> None:
    """An answer that looks like a command, an address, a path or a role is nothing but its text; `<b>` is bold."""
    for name, look in of_all(trial, place, "literal").items():
        assert squeezed(re.sub("</?b>", "", trial.answers[name])) in squeezed(look.read)
        assert MARKER not in look.text


def test_the_failed_answer_and_the_history(trial: Trial) -> None:
    """A server's error and the history of a conversation say what they have to say, as text."""
    for place in PLACES[1:]:
        looks = trial.looks(place)
        assert "<img src=" in looks["error"].read
        assert "⟨U+202E⟩" in looks["error"].read
        assert "<script>window.__pwned=1" in looks["everything"].read
        assert "<script>window.__pwned=1" in looks["history"].text


def test_nothing_is_executed(trial: Trial) -> None:
    """No command in an answer runs in the kernel, no file comes into being, and the front end finds no fault."""
    assert trial.looks("settled")["kernel"].read.strip() == "False"
    assert not trial.mark.exists()
    assert trial.errors == []


def test_the_canary_and_the_judge(browser: Browser) -> None:
    """The same answers, put into a page as HTML, are noticed: what the tests above rest on can fail."""
    kinds = re.compile("d-(html|css|ui|dom)")
    texts = [p["text"] for p in PAYLOADS if kinds.match(p["id"]) and "refresh" not in p["text"]]
    with Canary() as canary:
        context = browser.new_context()
        watched, page = Watched(context, "http://nowhere.invalid"), context.new_page()
        page.set_content("".join(map(OUTPUT.format, texts)).replace("{{CANARY}}", canary.url))
        page.wait_for_function("window.__pwned")
        canary.wait()
        sight = watched.look(page, touch=False)
        context.close()
    wrong = {entry for look in sight.looks for entry in look.wrong}
    assert sight.scripts
    assert any(canary.host in url for url in sight.requests)
    assert {"script", "img", "svg", "iframe", "style", "form", "input", "button"} <= wrong
    assert any("onmouseover" in entry for entry in wrong)


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda payload: payload["id"])
@pytest.mark.parametrize("watched", [True, False], ids=["terminal", "script"])
def test_terminal(payload: dict[str, Any], watched: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal gets no control character of an answer or of its thinking, other than newline and tab."""
    screen = StringIO()
    screen.isatty = lambda: watched  # type: ignore[method-assign]
    monkeypatch.setattr(sys, "stdout", screen)
    view, reply = TerminalView(), Reply(notes=(payload["text"],), status=ReplyStatus(before=(payload["text"],)))
    view.begin(reply, lambda: None)
    for parts in (reply.thinking_parts, reply.text_parts):
        for piece in odd_pieces(payload["text"]):
            parts.append(piece)
            view.show(reply)
    reply.state = COMPLETE
    view.finish(reply)
    read = re.sub(r"\x1b\[22?m", "", screen.getvalue()) if watched else screen.getvalue()
    assert not CONTROLS.search(read)
    assert not HIDDEN.search(read)
    assert read.count(payload.get("keep", "")) >= 1 + watched
