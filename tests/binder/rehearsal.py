"""`make binder`: a newcomer's visit on Binder, from the image to the closed tab, without Docker."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import sync_playwright

from tests import examples
from tests.binder import environments
from tests.binder.environments import BADGE, PIP, ROOT, run
from tests.binder.test_binder import gone
from tests.binder.visitor import Hub, Visitor
from tests.machine.browser import FLAGS, chromium

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

BADGES = BADGE.findall((ROOT / "docs" / "without-ollama.md").read_text("utf-8"))
URLPATH = BADGES[0][1] if BADGES else "lab/tree/examples/quickstart.ipynb"
LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "dist", "*.egg-info")
RECORDED, SCRIPTED = "recorded: ", "demo: scripted reply, no language model"
REAL = "smollm2:135m: a real answer, and often wrong"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The visitor's home, which is the repository."""
    home = tmp_path_factory.mktemp("binder") / "jovyan"
    shutil.copytree(ROOT, home, ignore=LEFT_OUT)
    return home


@pytest.fixture(scope="module")
def hub(home: Path, bare_machine: Path) -> Iterator[Hub]:
    """The image, built and started as its recipe says."""
    notebook = home.parent / "notebook"
    began = time.monotonic()
    python = environments.image(notebook)
    told("the image's own packages", began)
    began = time.monotonic()
    environ = environment(home, notebook)
    run(str(python), *PIP, "-r", "binder/requirements.txt", cwd=home, env=environ)
    run("bash", "-c", "./binder/postBuild", cwd=home, env=environ)
    told("pip and postBuild", began)
    began = time.monotonic()
    hub = Hub(home, environ)
    try:
        hub.wait()
        told("start until JupyterLab answers", began)
        yield hub
    finally:
        hub.stop()
    assert gone(hub.demo_server)


def environment(home: Path, notebook: Path) -> dict[str, str]:
    """Of the variables here only those that the image has too."""
    path = os.pathsep.join([str(notebook / "bin"), os.defpath])
    own = {"HOME": str(home), "PATH": path, "NB_PYTHON_PREFIX": str(notebook), "PYTHONUNBUFFERED": "1"}
    kept = ("LANG", "TMPDIR", *(name for name in os.environ if name.startswith("PIP_")))
    return {**{name: os.environ[name] for name in kept if name in os.environ}, **own}


def told(what: str, began: float) -> None:
    print(f"{what}: {time.monotonic() - began:.1f} s", flush=True)


@pytest.fixture
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        yield browser.new_page(viewport={"width": 1280, "height": 900})
        browser.close()


@pytest.mark.timeout(1200)
def test_a_visit(hub: Hub, page: Page, tmp_path: Path) -> None:
    """The badge opens the quickstart; it runs cell by cell; the panel talks in two languages; the tab is closed."""
    shots = Path(os.environ.get("OLLAMA_MAGIC_SHOTS", tmp_path))
    began = time.monotonic()
    visitor = Visitor(page, hub, URLPATH)
    told("the badge's address until the kernel is ready", began)
    assert page.get_by_text("official Jupyter news").count() == 0
    page.screenshot(path=shots / "binder-1.png")

    visitor.begin()
    said = {cell.id: visitor.press_on() for cell in examples.saved(Path(URLPATH).name).cells}
    for name in ("hello", "assigned", "chinese", "thinking"):
        assert RECORDED in said[name], (name, said[name])
    for name in ("follow-up", "options", "variables"):
        assert SCRIPTED in said[name], (name, said[name])
    assert "Hello, how are you?" in said["follow-up"]
    assert "def add(a, b):" in said["assigned"]
    assert REAL in said["free"], said["free"]
    assert "7 turns" in said["history"]

    greeted = visitor.panel.count("recorded: gemma3:1b")
    visitor.say("Hello, how are you?")
    visitor.reads("recorded: gemma3:1b", greeted + 1)
    visitor.say("你好")
    visitor.reads("我是一个很小的语言模型", 1)
    visitor.say("What is a volcano?")
    visitor.reads(REAL, 1)
    visitor.say("讲个笑话")
    visitor.reads("没有语言模型）", 1)
    page.screenshot(path=shots / "binder-2.png")

    visitor.begin()
    visitor.press_on()
    visitor.press_on()
    assert "kept answer" in visitor.press_on()
    assert visitor.errors == []
    page.close(run_before_unload=False)
    told("the whole visit", began)
