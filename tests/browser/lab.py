"""A JupyterLab on loopback, in folders of its own, and one notebook of it as a person sees it in Chromium."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
from playwright.sync_api import TimeoutError as Timeout

from tests.machine.environments import PYTHONPATH

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Locator, Page

ROOT = Path(__file__).parent.parent.parent
START_S, WAIT_MS = 60, 60_000
POLL_MS = 40  # Playwright would look at each frame, and have the page draw sixty a second
SETTINGS = {
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none"},  # every cell is in the page
}
UNUSED = ("jupyter_lsp", "jupyter_server_terminals")  # they look for programs, which takes a second
BUILD = ("buildAvailable", "buildCheck")  # each page would have the server ask Node twice what is to be built
KERNEL = {
    "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
    "display_name": "Python 3",
    "language": "python",
}
# What JupyterLab itself says on the console of an innocent notebook.
NOISE = (
    "Failed to load resource",  # its own settings and workspaces that do not exist yet
    "Failed to execute 'removeChild' on 'Node'",  # its splash screen, now and then
    "Cannot read properties of null (reading 'kernel')",  # a notebook opened without a kernel
    "Could not restore the debugger state",  # a kernel that was started again while it was asked
    "reading 'processLuminoMessage'",  # ipywidgets' own: a message that Lumino had posted to a view since removed
    "Could not add child view to box",  # ipywidgets' own: a box was removed before the views of its children were made
    "(reading 'widgets')",  # the reason that it gives for that
    "Comm not found for comm id",  # a page that was loaded anew hears of the end of a widget it never knew
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Lab:
    """A JupyterLab server without memory; `work` is the folder it shows, `disabled` names what of our part is off."""

    labextension = os.environ.get("OLLAMA_MAGIC_LABEXTENSION") != "off"
    disabled: tuple[str, ...] = () if labextension else ("ollama-magic",)

    def __init__(self, folder: Path) -> None:
        self.folder, self.work, self.url = folder, folder / "work", f"http://127.0.0.1:{(port := free_port())}"
        for name, values in SETTINGS.items():
            write_json(folder / "settings" / f"{name}.jupyterlab-settings", values)
        write_json(folder / "data" / "kernels" / "python3" / "kernel.json", KERNEL)
        self.work.mkdir()
        self._install_labextension()
        self.log = (folder / "server.log").open("wb")
        options = {
            "port": port,
            "ServerApp.ip": "127.0.0.1",
            "IdentityProvider.token": "",
            "ServerApp.root_dir": self.work,
            "ServerApp.disable_check_xsrf": True,
            "ServerApp.jpserver_extensions": dict.fromkeys(UNUSED, False),
            "ServerApp.tornado_settings": {"page_config_data": dict.fromkeys(BUILD, False)},
        }
        flags = ["--no-browser", "--allow-root", "--expose-app-in-browser"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *flags, *(f"--{name}={value}" for name, value in options.items())],
            env=self._environment(),
            stdout=self.log,
            stderr=self.log,
        )
        self._wait_for_start()

    def _install_labextension(self) -> None:
        """Have JupyterLab find our part as it stands here, before one that pip installed."""
        found = self.folder / "data" / "labextensions" / "ollama-magic"
        found.parent.mkdir(parents=True)
        found.symlink_to(ROOT / "labextension", target_is_directory=True)
        if self.disabled:
            self.disable(*self.disabled)

    def disable(self, *names: str) -> None:
        """Turn some of our part off in the pages that are opened from now on, and all else on."""
        (self.folder / "config" / "labconfig" / "page_config.json").unlink(missing_ok=True)
        command = [sys.executable, "-m", "jupyterlab.labextensions", "disable", "--level=user", *names]
        subprocess.run(command, env=self._environment(), check=True, capture_output=True)

    def _environment(self) -> dict[str, str]:
        folders = {
            "JUPYTER_CONFIG_DIR": "config",
            "JUPYTER_DATA_DIR": "data",
            "JUPYTER_RUNTIME_DIR": "runtime",
            "IPYTHONDIR": "ipython",
            "JUPYTERLAB_SETTINGS_DIR": "settings",
            "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        }
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        here = {name: str(self.folder / folder) for name, folder in folders.items()}
        # In a virtual environment Jupyter takes what pip installed there before what stands in a user's folder.
        return {**os.environ, **here, "PATH": path, "PYTHONPATH": PYTHONPATH, "JUPYTER_PREFER_ENV_PATH": "0"}

    def _wait_for_start(self) -> None:
        for _ in range(START_S * 4):
            try:
                self.api("status")
            except OSError:
                time.sleep(0.25)
            else:
                return
        raise RuntimeError((self.folder / "server.log").read_text()[-3000:])

    def api(self, path: str, method: str = "GET") -> Any:
        request = urllib.request.Request(f"{self.url}/api/{path}", method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=20) as response:
            return json.loads(response.read() or "null")

    def write(self, name: str, cells: list[str]) -> Path:
        """Write a notebook of code cells; their ids are c0, c1, …"""
        notebook = nbformat.v4.new_notebook(metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})
        notebook.cells = [nbformat.v4.new_code_cell(text, id=f"c{i}") for i, text in enumerate(cells)]
        path = self.work / name
        nbformat.write(notebook, path)
        return path

    def set_theme(self, theme: str) -> None:
        """Choose the theme of the pages that are opened from now on."""
        name = "@jupyterlab/apputils-extension/themes"
        write_json(self.folder / "settings" / f"{name}.jupyterlab-settings", {"theme": theme})

    def end_kernels(self) -> None:
        for session in self.api("sessions"):
            self.api(f"sessions/{session['id']}", "DELETE")

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


class NotebookPage:
    """One notebook, open in a page; cells are counted from 0."""

    def __init__(
        self,
        lab: Lab,
        context: BrowserContext,
        path: Path,
        *,
        kernel: bool = True,
        dark: bool = False,
        page: Page | None = None,
    ) -> None:
        self.lab, self.context, self.path, self.dark = lab, context, path, dark
        self.errors: list[str] = []
        self.shown = 1  # how many notebooks its page has shown
        self.page = self._open(kernel=kernel, page=page)

    def _open(self, *, kernel: bool, page: Page | None = None) -> Page:
        """The notebook in a new page, or in one that has been `cleared`."""
        loaded, page = page is not None, page or self.context.new_page()
        page.on("console", lambda message: self._note(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self._note(str(error)))
        if loaded:
            page.evaluate(WEAR, THEMES[self.dark])
        else:
            self._load(page)
        preference = {} if kernel else {"kernelPreference": {"shouldStart": False, "autoStartDefault": False}}
        page.evaluate(
            """args => window.jupyterapp.commands.execute('docmanager:open', args).then(() => null)""",
            {"path": self.path.name, "factory": "Notebook", **preference},
        )
        page.wait_for_function("document.querySelector('.jp-Notebook .jp-Cell')", timeout=WAIT_MS)
        if kernel:
            page.wait_for_function(
                f"{KERNEL_JS}?.status && {KERNEL_JS}.connectionStatus === 'connected'", timeout=WAIT_MS
            )
        return page

    def _load(self, page: Page) -> None:
        self.lab.set_theme(THEMES[self.dark])
        page.goto(f"{self.lab.url}/lab?reset", wait_until="domcontentloaded")
        page.wait_for_function("window.jupyterapp", timeout=WAIT_MS)
        page.evaluate("window.jupyterapp.restored.then(() => null)")

    def cleared(self) -> bool:
        """Close the page's documents unsaved; whether nothing is left of them, so that it may show another one."""
        if self.page.is_closed() or self.page.locator(".jp-Dialog").count():
            return False
        self.page.evaluate(CLEAR)
        try:
            self.page.wait_for_function(EMPTY, timeout=10_000)
        except Timeout:
            return False
        return True

    def _note(self, error: str) -> None:
        if not any(noise in error for noise in NOISE):
            self.errors.append(error)

    def reload(self) -> None:
        """Save, close the page and open the notebook anew; the kernel lives on."""
        self.save()
        self.page.close()
        self.page = self._open(kernel=True)

    def reopen_without_kernel(self) -> None:
        """Save, close the notebook and end its kernel; then open it in the same page without one."""
        self.save()
        assert self.cleared()
        self.lab.end_kernels()
        self._open(kernel=False, page=self.page)

    def cell(self, index: int) -> Locator:
        return self.page.locator(".jp-Notebook .jp-Cell").nth(index)

    def output(self, index: int) -> Locator:
        return self.cell(index).locator(".jp-Cell-outputArea")

    def text(self, index: int) -> str:
        """What a person reads under the cell now."""
        return self.output(index).inner_text() if self.output(index).count() else ""

    def start(self, index: int) -> None:
        """Run a cell and do not wait for its end."""
        self.page.evaluate(
            """index => { const notebook = window.jupyterapp.shell.currentWidget.content;
            notebook.deselectAll(); notebook.activeCellIndex = index;
            notebook.widgets[index].model.executionCount = null;
            window.jupyterapp.commands.execute('notebook:run-cell'); }""",
            index,
        )

    def run(self, index: int) -> None:
        self.start(index)
        self.wait_run(index)

    def wait_run(self, index: int) -> None:
        """Wait until the cell has its number and the kernel is idle."""
        self.page.wait_for_function(
            f"index => {NOTEBOOK_JS}.content.widgets[index].model.executionCount !== null",
            arg=index,
            timeout=WAIT_MS,
            polling=POLL_MS,
        )
        self.wait_idle()

    def wait_idle(self) -> None:
        """Wait until the kernel has nothing to do; after a reload a cell does not know any more that it runs."""
        self.page.wait_for_function(f"{KERNEL_JS}.status === 'idle'", timeout=WAIT_MS, polling=POLL_MS)

    def wait_text(self, index: int, part: str) -> None:
        """Wait until a person can read the words under the cell."""
        self.page.wait_for_function(
            "([index, part]) => document.querySelectorAll('.jp-Notebook .jp-Cell')[index]"
            "?.querySelector('.jp-Cell-outputArea')?.innerText.includes(part)",
            arg=[index, part],
            timeout=WAIT_MS,
            polling=POLL_MS,
        )

    def wait_restarted(self) -> None:
        """Wait until the kernel that JupyterLab has started by itself answers.

        Page and server may miss the first status of such a kernel, and know none until something runs.
        """
        end = time.monotonic() + WAIT_MS / 1000
        while not self.page.evaluate(ANSWERS):
            assert time.monotonic() < end, "the kernel does not answer"

    def running(self, index: int) -> bool:
        return bool(
            self.page.evaluate(f"i => {NOTEBOOK_JS}.content.widgets[i].model.executionState === 'running'", index)
        )

    def outputs(self, index: int) -> list[dict[str, Any]]:
        """The cell's outputs as the notebook model holds them."""
        outputs = self.page.evaluate(f"index => {NOTEBOOK_JS}.content.widgets[index].model.outputs.toJSON()", index)
        return list(outputs)

    def tell_kernel(self, code: str) -> None:
        """Run code that belongs to no cell."""
        ask = {"code": code, "silent": True, "store_history": False}
        self.page.evaluate(f"ask => {KERNEL_JS}.requestExecute(ask).done.then(() => null)", ask)

    def save(self) -> dict[str, Any]:
        """Save the notebook; return what the file says."""
        self.page.evaluate(f"{NOTEBOOK_JS}.context.save().then(() => null)")
        return dict(json.loads(self.path.read_text(encoding="utf8")))

    def interrupt(self) -> None:
        self.page.evaluate(f"{KERNEL_JS}.interrupt().then(() => null)")

    def restart(self) -> None:
        self.page.evaluate(f"{KERNEL_JS}.restart().then(() => null)")

    def shot(self, folder: Path, name: str) -> Path:
        self.page.screenshot(path=str(folder / f"{name}.png"))
        return folder / f"{name}.png"

    def close(self) -> None:
        self.page.close()
        self.context.close()


THEMES = {False: "JupyterLab Light", True: "JupyterLab Dark"}
WEAR = """async theme => { if (document.body.dataset.jpThemeName === theme) return;
    await window.jupyterapp.commands.execute('apputils:change-theme', {theme});
    while (document.body.dataset.jpThemeName !== theme) await new Promise(done => requestAnimationFrame(done)); }"""
CLEAR = """() => { for (const widget of [...window.jupyterapp.shell.widgets('main')]) widget.dispose();
    window.jupyterapp.shell.expandLeft(); }"""
EMPTY = "!document.querySelector('.jp-Notebook, .jp-OutputArea, .ollama-magic-panel')"
NOTEBOOK_JS = "window.jupyterapp.shell.currentWidget"
KERNEL_JS = f"{NOTEBOOK_JS}?.sessionContext?.session?.kernel"


ANSWERS = f"""() => Promise.race([new Promise(done => setTimeout(done, 2000, false)),
    {KERNEL_JS}.requestExecute({{code: '', silent: true, store_history: false}}).done.then(() => true, () => false)])"""


def write_json(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf8")
