"""Hostile answers, and hostile prompts, in the chat panel of a real browser."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.canary import Canary
from tests.browser.conftest import LOAD
from tests.browser.inert import HIDDEN, Look, Watched
from tests.browser.lab import WAIT_MS, NotebookPage
from tests.browser.trial import PAYLOADS, Trial, odd_pieces
from tests.double import Delta, ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

    from tests.browser.lab import Lab

pytestmark = pytest.mark.timeout(300)

SEND = """
import json
from ollama_magic.line.loaded import loaded_magics
from ollama_magic.commands.panel import NotebookActions
actions = NotebookActions(loaded_magics())
for text in json.loads({texts!r}):
    actions.send(text).settle(30)
"""
FRAME = "ollama-magic-transcript ollama-magic-transcript-c1-1 mathjax_ignore tex2jax_ignore"
COUNT = "count => document.querySelectorAll('.ollama-magic-said').length >= count"
SETTLED = "() => !document.querySelector('.ollama-magic-panel .ollama-magic-stop')"
ELEMENTS = "() => document.querySelectorAll('.ollama-magic-said *').length"


def spoken(body: dict[str, Any]) -> Iterator[str | Delta]:
    """Says the prompt back, as thinking and as the answer."""
    text = body["messages"][-1]["content"]
    for piece in odd_pieces(text):
        yield Delta(thinking=piece)
    yield from odd_pieces(text)


def test_hostile_turns_in_the_panel(browser: Browser, lab: Lab, tmp_path: Path) -> None:
    """Prompts and answers of all kinds run nothing, fetch nothing, and make no element of their own."""
    with Canary() as canary, ScriptedServer(pace=0, answers=spoken) as server:
        trial = Trial(canary, tmp_path)
        texts = list(trial.answers.values())
        path = lab.write("hostile-panel.ipynb", [LOAD.format(url=server.url), "%ollama panel"])
        watched = Watched(browser.new_context(viewport={"width": 1280, "height": 900}), lab.url)
        page = NotebookPage(lab, watched.context, path)
        page.run(0)
        page.run(1)
        for at in range(0, len(texts), 30):
            some = texts[at : at + 30]
            page.tell_kernel(SEND.format(texts=json.dumps(some)))
            page.page.wait_for_function(COUNT, arg=len(some), timeout=WAIT_MS)
            page.page.wait_for_function(SETTLED, timeout=WAIT_MS)
            sight = watched.look(page.page)
            look = sight.looks[1]
            answers = Look([one for one in look.elements if one[2] != "host"], look.text, look.read)
            assert [one for one in answers.wrong if one != f"div class={FRAME}"] == []
            assert page.page.evaluate(ELEMENTS) == 0
            assert not HIDDEN.search(look.text)
            assert not sight.scripts
            assert sight.requests == []
            assert (sight.pages, sight.dialogs) == (1, 0)
            page.page.get_by_role("button", name="New", exact=True).click()
            page.page.wait_for_function("() => document.querySelector('.ollama-magic-empty')", timeout=WAIT_MS)
        assert canary.quiet
        assert not trial.mark.exists()
        assert len(PAYLOADS) == len(texts)
        assert page.errors == []
        page.close()
        lab.end_kernels()
