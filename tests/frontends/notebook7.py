"""Notebook 7 on loopback, and a notebook of it as a person sees it in Chromium."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.browser import lab
from tests.browser.lab import KERNEL_JS, NOTEBOOK_JS, WAIT_MS, Lab, NotebookPage, write_json

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

# What Notebook 7 itself says on opening an innocent notebook.
NOISE = (*lab.NOISE, "Cannot read properties of undefined (reading 'schema')")


class Notebook7(Lab):
    """The server of JupyterLab, which serves Notebook 7 beside it."""

    def __init__(self, folder: Path) -> None:
        config = {"JupyterNotebookApp": {"expose_app_in_browser": True}}
        write_json(folder / "config" / "jupyter_notebook_config.json", config)
        super().__init__(folder)


class Notebook7Page(NotebookPage):
    """One notebook, open in a page of Notebook 7."""

    def _open(self, *, kernel: bool, page: Page | None = None) -> Page:
        page = page or self.context.new_page()
        page.on("console", lambda message: self._hear(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self._hear(str(error)))
        page.goto(f"{self.lab.url}/notebooks/{self.path.name}", wait_until="domcontentloaded")
        page.wait_for_function("window.jupyterapp", timeout=WAIT_MS)
        page.evaluate("window.jupyterapp.restored.then(() => null)")
        page.wait_for_function("document.querySelector('.jp-Notebook .jp-Cell')", timeout=WAIT_MS)
        if kernel:
            page.wait_for_function(
                f"{KERNEL_JS}?.status && {KERNEL_JS}.connectionStatus === 'connected'", timeout=WAIT_MS
            )
        return page

    def wait_settled(self, index: int) -> None:
        """Wait until the cell's output, as the notebook holds it, is no longer that of a running turn."""
        self.page.wait_for_function(
            f"index => {NOTEBOOK_JS}.content.widgets[index].model.outputs.toJSON()"
            ".every(output => output.metadata.ollama_magic.state !== 'running')",
            arg=index,
            timeout=WAIT_MS,
        )

    def _hear(self, error: str) -> None:
        if not any(noise in error for noise in NOISE):
            self.errors.append(error)
