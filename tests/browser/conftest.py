"""One JupyterLab and one Chromium for all browser tests of a process; a notebook for each test.

The browser ends with this folder: while Playwright runs, its event loop would stand in the way of other tests.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import sync_playwright

from tests.browser.lab import Lab, NotebookPage
from tests.machine import browser as browser_setup

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser

    from tests.double import ScriptedServer

SHOWN = 30  # notebooks in one page, which grows with each of them
LOAD = "import os\nos.environ['OLLAMA_HOST'] = {url!r}\n%load_ext ollama_magic"


def themes(*dark: bool) -> pytest.MarkDecorator:
    """The themes in which a test runs: these, and both where pictures are wanted."""
    both = [False, True] if "OLLAMA_MAGIC_SHOTS" in os.environ else list(dark)
    return pytest.mark.parametrize("dark", both, ids=["dark" if one else "light" for one in both])


@contextmanager
def started_chromium() -> Iterator[Browser]:
    """The Chromium that `make` found or brought; without one the tests fail and say what to do."""
    try:
        path = browser_setup.chromium()
    except browser_setup.Missing as missing:
        pytest.fail(str(missing), pytrace=False)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=list(browser_setup.FLAGS))
        yield chromium
        chromium.close()


@pytest.fixture(scope="package")
def browser(bare_machine: Path) -> Iterator[Browser]:
    with started_chromium() as chromium:
        yield chromium


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory, bare_machine: Path) -> Iterator[Lab]:
    """A JupyterLab in folders of its own."""
    lab = Lab(tmp_path_factory.mktemp("lab"))
    yield lab
    lab.stop()


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    """Where screenshots go: OLLAMA_MAGIC_SHOTS, else the test's own folder."""
    folder = Path(os.environ.get("OLLAMA_MAGIC_SHOTS", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="package")
def spare_pages(browser: Browser, lab: Lab) -> list[NotebookPage]:
    """Pages that a test has left: JupyterLab takes seconds to load, and a notebook opens in one at once."""
    return []


@pytest.fixture
def open_page(browser: Browser, lab: Lab, spare_pages: list[NotebookPage]) -> Iterator[Callable[..., NotebookPage]]:
    """Opens a notebook file of the lab in a page without another one; all kernels end with the test."""
    opened: list[NotebookPage] = []

    def open_page(path: Path, *, size: tuple[int, int] = (1280, 900), **options: Any) -> NotebookPage:
        viewport = {"width": size[0], "height": size[1]}
        if spare_pages:
            spare = spare_pages.pop()
            spare.page.set_viewport_size(viewport)
            opened.append(NotebookPage(lab, spare.context, path, page=spare.page, **options))
            opened[-1].shown = spare.shown + 1
        else:
            opened.append(NotebookPage(lab, browser.new_context(viewport=viewport), path, **options))
        return opened[-1]

    yield open_page
    for page in opened:
        if page.shown < SHOWN and page.cleared():
            spare_pages.append(page)
        else:
            page.close()
    lab.end_kernels()


@pytest.fixture
def notebook(
    open_page: Callable[..., NotebookPage], lab: Lab, request: pytest.FixtureRequest
) -> Callable[..., NotebookPage]:
    """A notebook whose first cell, already run, loads the extension for the given server; the cells follow from 1."""

    def notebook(server: ScriptedServer, *cells: str, **options: Any) -> NotebookPage:
        name = f"{request.node.originalname}-{len(list(lab.work.glob('*.ipynb')))}.ipynb"
        page = open_page(lab.write(name, [LOAD.format(url=server.url), *cells]), **options)
        page.run(0)
        return page

    return notebook
