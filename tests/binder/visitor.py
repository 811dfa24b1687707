"""A visitor of Binder, a browser at the badge's address with nothing but keys and eyes; and the server visited."""

from __future__ import annotations

import os
import re
import subprocess
import time
import urllib.request
from typing import TYPE_CHECKING

from tests.browser.lab import free_port

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Locator, Page

BASE, TOKEN = "/user/visitor-ollama_magic-x1y2z3/", "rehearsal"
WAIT_MS = 120_000
ACTIVE = ".jp-Notebook .jp-Cell.jp-mod-active"


class Hub:
    """What BinderHub starts in the image: `start`, and JupyterLab under the visitor's own path."""

    def __init__(self, home: Path, environ: dict[str, str]) -> None:
        self.origin, self.log = f"http://127.0.0.1:{(port := free_port())}", home.parent / "server.log"
        options = {
            "ip": "127.0.0.1",
            "port": port,
            "ServerApp.base_url": BASE,
            "IdentityProvider.token": TOKEN,
            "ServerApp.trust_xheaders": True,
        }
        words = [f"--{name}={value}" for name, value in options.items()]
        root = ["--allow-root"] if os.geteuid() == 0 else []  # on Binder nobody is root
        command = ["bash", "binder/start", "jupyter-lab", *words, *root, "--no-browser"]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, cwd=home, env=environ, stdout=log, stderr=subprocess.STDOUT)

    def wait(self) -> None:
        """Until it answers."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        for _ in range(400):
            try:
                opener.open(f"{self.origin}{BASE}api?token={TOKEN}", timeout=5).close()
            except OSError:
                time.sleep(0.25)
            else:
                return
        raise RuntimeError(self.log.read_text()[-3000:])

    @property
    def demo_server(self) -> str:
        """Where `start` says that the demo server answers."""
        found = re.search(r"A demo server answers at (\S+): ", self.log.read_text())
        assert found
        return found[1]

    def stop(self) -> None:
        """As Binder does when a visitor has gone."""
        self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Visitor:
    """One tab; cells are named by their ids in the notebook that is open."""

    def __init__(self, page: Page, hub: Hub, urlpath: str) -> None:
        self.page = page
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.goto(f"{hub.origin}{BASE}{urlpath}?token={TOKEN}", wait_until="domcontentloaded")
        page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=WAIT_MS)
        page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").first.wait_for(timeout=WAIT_MS)

    def begin(self) -> None:
        """Go to the top and click into the first cell, as its text asks for."""
        self.page.locator(".jp-WindowedPanel-outer").first.evaluate("panel => { panel.scrollTop = 0; }")
        self.page.locator('.jp-Notebook .jp-Cell[data-windowed-list-index="0"]').click()

    def press_on(self) -> str:
        """Shift+Enter; what stands under the cell when it has run."""
        active = self.page.locator(ACTIVE)
        nth = active.get_attribute("data-windowed-list-index")
        cell = self.page.locator(f'.jp-Notebook .jp-Cell[data-windowed-list-index="{nth}"]')
        code = cell.locator(".jp-InputPrompt").count() and "jp-CodeCell" in (cell.get_attribute("class") or "")
        self.page.keyboard.press("Shift+Enter")
        return self._ran(cell) if code else ""

    def _ran(self, cell: Locator) -> str:
        prompt = cell.locator(".jp-InputPrompt")
        for _ in range(WAIT_MS // 100):
            if re.fullmatch(r"\[\d+\]:", prompt.inner_text().strip()):
                break
            self.page.wait_for_timeout(100)
        self.page.wait_for_timeout(200)  # the last output may be on its way
        return cell.locator(".jp-Cell-outputArea").inner_text()

    def say(self, words: str) -> None:
        """Write into the panel and press Enter."""
        self.page.locator(".ollama-magic-panel .ollama-magic-draft textarea").last.focus()
        self.page.keyboard.type(words)
        self.page.keyboard.press("Enter")

    def reads(self, words: str, times: int) -> None:
        """Wait until the panel says the words so many times."""
        self.page.wait_for_function(
            "([words, times]) => document.querySelector('.ollama-magic-panel')"
            "?.innerText.split(words).length === times + 1",
            arg=[words, times],
            timeout=WAIT_MS,
        )

    @property
    def panel(self) -> str:
        """What the panel says now."""
        return self.page.locator(".ollama-magic-panel").inner_text()
