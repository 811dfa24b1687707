"""The README's moving picture, from a real JupyterLab: OLLAMA_MAGIC_PICTURE names the file, and pytest runs this one.

A question and its streaming answer from the demo server, the cell edited and run anew, and a real answer as a value.
"""

from __future__ import annotations

import io
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image, ImageChops

from ollama_magic.demo.demo_server import DemoServer
from ollama_magic.demo.engine.local_models import local_models
from tests.engine.local_weights import local_weights

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from tests.browser.lab import Lab, NotebookPage

SIZE = (860, 700)
EVERY = 0.12  # seconds between two frames
MOST = 2_000_000  # bytes
OPINION = """from dataclasses import dataclass
from typing import Literal


@dataclass
class Opinion:
    product: str
    mood: Literal["positive", "negative"]"""
CELLS = (
    "%load_ext ollama_magic",
    "%%chat\nCompare lists, tuples and sets in Python in a short table.",
    OPINION,
    """%%chat -m smollm2:135m --once -o temperature=0 -f Opinion --into opinion
Extract the product and the mood from this review: The lamp is bright and beautiful, I love it.""",
    "opinion",
)
LOAD_MODEL = "ollama load smollm2:135m"
EDITED = "Write a function that adds two numbers."


class Film:
    """Frames of a page, and how long each is shown; equal ones are one."""

    def __init__(self, page: NotebookPage) -> None:
        self.page, self.frames, self.times = page, list[Image.Image](), list[float]()

    def shoot(self, seconds: float = EVERY) -> None:
        """Take a frame that is shown so long."""
        frame = Image.open(io.BytesIO(self.page.page.screenshot(clip=self._clip()))).convert("RGB")
        if self.frames and ImageChops.difference(frame, self.frames[-1]).getbbox() is None:
            self.times[-1] += seconds
        else:
            self.frames.append(frame)
            self.times.append(seconds)

    def watch(self, ended: Callable[[], bool], most: float = 60.0) -> None:
        """Take frames, as fast as they come, until something has ended."""
        deadline = time.monotonic() + most
        while time.monotonic() < deadline:
            began, over = time.monotonic(), ended()
            self.shoot(max(EVERY, time.monotonic() - began))
            time.sleep(max(0.0, EVERY - (time.monotonic() - began)))
            if over:
                return
        raise AssertionError("the answer did not end")

    def type(self, text: str) -> None:
        """Type a text, two letters a frame."""
        for start in range(0, len(text), 2):
            self.page.page.keyboard.type(text[start : start + 2])
            self.shoot(0.08)

    def save(self, path: Path) -> None:
        """Write the film as a WebP that plays for ever."""
        first, *others = self.frames
        first.save(
            path,
            save_all=True,
            append_images=others,
            duration=[round(seconds * 1000) for seconds in self.times],
            loop=0,
            quality=62,
            method=6,
            minimize_size=True,
        )

    def _clip(self) -> dict[str, float]:
        box = self.page.page.locator(".jp-Notebook").bounding_box()
        assert box is not None
        return {"x": box["x"], "y": box["y"], "width": box["width"], "height": box["height"]}


def run(page: NotebookPage, film: Film, cell: int) -> None:
    """Run a cell in view of the camera."""
    page.start(cell)
    page.page.mouse.move(SIZE[0] - 5, SIZE[1] - 5)
    film.watch(lambda: bool(page.page.evaluate(DONE, cell)))


DONE = """cell => { const panel = window.jupyterapp.shell.currentWidget;
    const ended = panel.content.widgets[cell].model.executionCount !== null;
    return ended && panel.sessionContext.session.kernel.status === 'idle'; }"""
EDIT = """cell => { const notebook = window.jupyterapp.shell.currentWidget.content;
    notebook.activeCellIndex = cell; notebook.mode = 'edit'; const editor = notebook.widgets[cell].editor;
    editor.focus(); const end = {line: 1, column: editor.getLine(1).length};
    editor.setSelection({start: {line: 1, column: 0}, end}); }"""
PLAIN = """() => { for (const name of ['application:toggle-left-area', 'application:toggle-right-area'])
    if (window.jupyterapp.commands.isToggled(name)) window.jupyterapp.commands.execute(name); }"""


def test_the_moving_picture(
    open_page: Callable[..., NotebookPage], lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A question, the streaming answer, an edit and a typed value fit into 2 MB of pictures."""
    monkeypatch.setenv("OLLAMA_MAGIC_ENGINE_THREADS", "1")
    with DemoServer(local=local_models(folder=local_weights().parent)) as server:
        page = open_page(lab.write("story.ipynb", list(CELLS)), size=SIZE)
        page.page.evaluate(PLAIN)
        page.tell_kernel(f"import os; os.environ['OLLAMA_HOST'] = {server.url!r}")
        page.run(0)
        for setting in ("config OllamaMagic.store = False", "config OllamaMagic.model = 'demo'", LOAD_MODEL):
            page.tell_kernel(f"%{setting}")
        page.page.evaluate("cell => window.jupyterapp.shell.currentWidget.content.activeCellIndex = cell", 1)
        film = Film(page)
        film.shoot(1.0)
        run(page, film, 1)
        film.shoot(2.0)
        page.page.evaluate(EDIT, 1)
        film.shoot(0.6)
        film.type(EDITED)
        film.shoot(0.5)
        run(page, film, 1)
        film.shoot(2.0)
        for cell in (2, 3, 4):
            page.page.evaluate("cell => window.jupyterapp.shell.currentWidget.content.activeCellIndex = cell", cell)
            page.cell(cell).scroll_into_view_if_needed()
            film.shoot(0.8)
            run(page, film, cell)
            page.page.evaluate("document.querySelector('.jp-WindowedPanel-outer, .jp-Notebook').scrollTo(0, 1e6)")
            film.shoot(1.2)
        film.shoot(3.0)
        assert "Opinion(product=" in page.text(4)
        assert page.errors == []
    path = Path(os.environ.get("OLLAMA_MAGIC_PICTURE", tmp_path / "story.webp"))
    film.save(path)
    assert path.stat().st_size <= MOST
