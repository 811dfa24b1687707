"""Floods in a real browser: long answers, hostile blocks, many turns at once, and many answers on a page.

OLLAMA_MAGIC_LONG=1 makes it long: all 32,000 tokens, each block of 100 kB, a line of 10 MB, and two hundred answers.
The figures are printed (pytest -s); what is asserted of time are guards against hangs.
"""

from __future__ import annotations

import os
import re
import time
from typing import TYPE_CHECKING

import pytest

from ollama_magic.markdown.renderer import MarkdownRenderer
from tests.answers import words
from tests.browser.blocks import BIG, BLOCKS, HOSTILE, OURS, all_shown, gap, wait_settled, watched
from tests.browser.inert import squeezed
from tests.markdown.strict import Strict

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.lab import Lab, NotebookPage
    from tests.double import ScriptedServer

    Servers = Callable[..., ScriptedServer]
    Notebooks = Callable[..., NotebookPage]

LONG = bool(os.environ.get("OLLAMA_MAGIC_LONG"))
pytestmark = pytest.mark.timeout(900 if LONG else 240)

ANSWERED = 200 if LONG else 100
FROZEN_S = 5.0  # a page that draws no frame for so long hangs, also on a busy machine
SLOW_S = 20.0
ANSWERS = "[...document.querySelectorAll('.jp-RenderedHTML')].filter(e => e.textContent.includes('It is number'))"
TEXT = """([index, root]) => [...document.querySelectorAll('.jp-Notebook .jp-Cell')[index].querySelectorAll(root)]
    .map(e => e.textContent).join('')"""


def mixed(count: int) -> list[str]:
    """An answer of so many tokens: prose, lists, code, tables."""
    parts, length = [], 0
    while length < 6 * count:
        n = len(parts)
        parts.append(PARTS[n % len(PARTS)].replace("#", str(n)))
        length += len(parts[-1])
    return words("".join(parts)[: 6 * count - 10].rstrip() + "\n\nKEEP-end")


PARTS = [
    "## Part #\n\n",
    "Here is **something** about `name_#`, and it goes on for a while. It says little, but well.\n" * 3 + "\n",
    "- one of #\n- two, with *emphasis*\n- three\n\n",
    "```python\ndef f_#(x):\n    return x + #  # why not\n```\n\n",
    "| a | b |\n|---|---|\n| # | two |\n| three | `four` |\n\n",
]  # fmt: skip


def read(page: NotebookPage, index: int, root: str = ".jp-RenderedHTML") -> str:
    """All the text of the settled answer, squeezed."""
    return squeezed(page.page.evaluate(TEXT, [index, root]))


def rendered(text: str) -> str:
    return squeezed(Strict(MarkdownRenderer().render(text).html).text)


def whole(page: NotebookPage, index: int, text: str) -> bool:
    """Whether the page and the file hold the text, and nothing else but the footer."""
    (output,) = page.outputs(index)
    return "".join(output["data"]["text/plain"]) == text and read(page, index).startswith(rendered(text))


@pytest.mark.parametrize("pace", [0, 150])
def test_a_long_answer(demo_server: Servers, notebook: Notebooks, pace: int) -> None:
    """A long answer, in the long form 32,000 tokens, arrives whole, and the page stays alive meanwhile."""
    answer = mixed(32_000 if LONG else 1_000 if pace else 12_000)
    page = watched(notebook(demo_server(pace=pace, answers=lambda body: answer), "%%chat\nTell me everything."))
    began = time.time()
    page.start(1)
    wait_settled(page, 1)
    print(f"{len(answer)} tokens at {pace}/s: {time.time() - began:.1f} s, longest without a frame {gap(page):.2f} s")
    assert whole(page, 1, "".join(answer))
    assert gap(page) < FROZEN_S
    assert page.errors == []


def test_hostile_blocks(demo_server: Servers, notebook: Notebooks) -> None:
    """Any 100 kB (50 in the short form) are shown, rich or plain, as soon as they are there, and nothing hangs."""
    late, blocks = {}, BLOCKS | BIG if LONG else HOSTILE | {name: block[:50_000] for name, block in OURS.items()}
    for shown in all_shown(demo_server, notebook, blocks):
        print(f"{shown.name:10} live {shown.live:6.2f} s  settled {shown.settled:6.2f} s  gap {shown.gap:5.2f} s")
        late[shown.name] = max(shown.settled, shown.gap)
    assert late.keys() == blocks.keys()
    assert {name: seconds for name, seconds in late.items() if seconds > SLOW_S} == {}


def test_eight_at_once(demo_server: Servers, notebook: Notebooks) -> None:
    """Eight background answers grow side by side, and each settles in its own cell."""
    texts = {f"n{n}": "\n\n".join([f"about n{n}"] * 250 + ["KEEP-end"]) for n in range(8)}
    server = demo_server(pace=100, answers=lambda body: words(texts[body["messages"][-1]["content"]]))
    page = watched(notebook(server, *(f"%%chat --once -b\n{name}" for name in texts)))
    for index in range(1, 9):
        page.start(index)
    server.wait_for_requests(8)
    for index in range(1, 9):
        page.wait_text(index, "about")
    assert not any(request.ended.is_set() for request in server.requests if request.path == "/api/chat")
    wait_settled(page, *range(1, 9))
    for index, text in enumerate(texts.values(), 1):
        assert whole(page, index, text)
    assert gap(page) < FROZEN_S
    assert page.errors == []


def test_two_hundred_answers(
    demo_server: Servers, notebook: Notebooks, open_page: Callable[..., NotebookPage], lab: Lab
) -> None:
    """The kernel keeps the widgets of fifty answers, no more; a page of very many opens and scrolls."""
    size = ANSWERED // 5
    server = demo_server(pace=0, answers=lambda body: [f"It is **{body['messages'][-1]['content']}**.\n\n" * 5])
    loops = [f"for n in range({n}, {n + size}):\n    %chat --once number {{{{n}}}}" for n in range(0, ANSWERED, size)]
    count = "import ipywidgets; print(len(ipywidgets.widgets.widget._instances))"
    page = notebook(server, *loops[:3], count, *loops[3:], count)
    for index in range(1, 8):
        page.run(index)
    some, all_of_them = int(page.text(4)), int(page.text(7))
    print(f"widgets after {3 * size} answers {some}, after {ANSWERED} {all_of_them}")
    assert all_of_them == some <= 50 * 12
    page.page.wait_for_function(f"{ANSWERS}.length === {ANSWERED}")
    page.save()
    page.close()
    reopened = watched(open_page(page.path, kernel=False))
    reopened.page.wait_for_function(f"{ANSWERS}.length === {ANSWERED}")
    read = re.findall(r"It is number (\d+)\.", "".join(map(reopened.text, range(1, 7))))
    assert read == [str(n) for n in range(ANSWERED) for _ in range(5)]
    reopened.page.evaluate(f"{ANSWERS}[{ANSWERED - 1}].scrollIntoView()")
    reopened.page.wait_for_function(f"{ANSWERS}[{ANSWERED - 1}].getBoundingClientRect().top < innerHeight")
    assert gap(reopened) < FROZEN_S
    assert reopened.errors == []
