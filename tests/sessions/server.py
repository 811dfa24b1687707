"""A real jupyter_server as JupyterLab uses it: sessions and files through its REST API, cells through its kernels."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections import defaultdict
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import nbformat
from jupyter_client.blocking.client import BlockingKernelClient
from zmq import Again

from tests.browser.lab import KERNEL, START_S, free_port, write_json
from tests.kernel.kernel import WAIT_S, Cell, Kernel
from tests.machine.environments import PYTHONPATH

if TYPE_CHECKING:
    from pathlib import Path

EXTENSIONS = ("jupyterlab", "jupyter_lsp", "jupyter_server_terminals", "notebook", "notebook_shim")  # take seconds


class JupyterServer:
    """A server without a browser; `work` is the folder that it shows, `data` is where the store is."""

    def __init__(self, folder: Path, ollama: str, shared: Path | None = None) -> None:
        """`shared`: another server's folder, whose notebooks and whose store this one has too."""
        self.folder, self.work, self.data = folder, (shared or folder) / "work", (shared or folder) / "data"
        self.url = f"http://127.0.0.1:{(port := free_port())}"
        write_json(folder / "jupyter" / "kernels" / "python3" / "kernel.json", KERNEL)
        self.work.mkdir(exist_ok=True)
        self.log = (folder / "server.log").open("wb")
        options = {
            "port": port,
            "ServerApp.ip": "127.0.0.1",
            "IdentityProvider.token": "",
            "ServerApp.root_dir": self.work,
            "ServerApp.disable_check_xsrf": True,
            "ServerApp.jpserver_extensions": dict.fromkeys(EXTENSIONS, False),
            "KernelRestarter.time_to_dead": 0.3,  # a killed kernel is started again soon
        }
        command = [sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root"]
        self.process = subprocess.Popen(
            [*command, *(f"--{name}={value}" for name, value in options.items())],
            env=self._environment(ollama),
            stdout=self.log,
            stderr=self.log,
        )
        self._wait_for_start()

    def _environment(self, ollama: str) -> dict[str, str]:
        kinds = {"CONFIG": "config", "DATA": "jupyter", "RUNTIME": "runtime"}
        here = {f"JUPYTER_{kind}_DIR": str(self.folder / name) for kind, name in kinds.items()}
        here |= {"XDG_DATA_HOME": str(self.data), "PYTHONPATH": PYTHONPATH, "OLLAMA_HOST": ollama}
        return {**os.environ, **here}

    def _wait_for_start(self) -> None:
        for _ in range(START_S * 10):
            try:
                self.ask("GET", "status")
            except OSError:
                time.sleep(0.1)
            else:
                return
        raise RuntimeError((self.folder / "server.log").read_text()[-3000:])

    def ask(self, method: str, path: str, /, **body: Any) -> Any:
        """One call of the REST API."""
        data = json.dumps(body).encode() if body else None
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}/api/{quote(path)}", data, headers, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=30) as response:
            return json.loads(response.read() or "null")

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


class Notebook:
    """A notebook open in a page: its cells, which the file has only when they were saved, and its session."""

    def __init__(self, server: JupyterServer, path: str, cells: dict[str, str] | None = None) -> None:
        self.server, self.path, self.cells = server, path, dict(cells or {})
        self.outputs: dict[str, Cell] = {}
        self.loaded = ""
        self.session: Any = None
        self.kernel: Any = None

    @property
    def file(self) -> Path:
        return self.server.work / self.path

    def save(self) -> Notebook:
        """Save through the contents API, as JupyterLab does."""
        made = [self._cell(name, source) for name, source in self.cells.items()]
        content = nbformat.v4.new_notebook(cells=made)
        self.server.ask("PUT", f"contents/{self.path}", type="notebook", format="json", content=content)
        return self

    def _cell(self, name: str, source: str) -> Any:
        cell = nbformat.v4.new_code_cell(source, id=name)
        shown = self.outputs[name].outputs if name in self.outputs else []
        kept = [one for one in shown if "text/html" in one.get("data", {})]
        cell.outputs = [nbformat.v4.new_output("display_data", one["data"], metadata=one["metadata"]) for one in kept]
        return cell

    def start(self) -> Notebook:
        """Start a session of this notebook, with a kernel of its own."""
        self.session = self.server.ask(
            "POST",
            "sessions",
            path=self.path,
            name=self.path.rpartition("/")[2],
            type="notebook",
            kernel={"name": "python3"},
        )
        self.kernel = ServerKernel(self.server, self.session["kernel"]["id"])
        return self

    def load(self, cell: str) -> Notebook:
        """Load the extension in a cell; `loaded` is what that says."""
        ran = self.run(cell, "%load_ext ollama_magic")
        assert ran.status == "ok", ran.traceback
        self.loaded = "".join(ran.plain)
        return self

    def run(self, cell: str, source: str | None = None, deleted: tuple[str, ...] = ()) -> Cell:
        """Run a cell, with another source if one is given; JupyterLab names what was deleted since the last reply."""
        self.cells[cell] = source or self.cells[cell]
        ran = self.outputs[cell] = self.kernel.wait(self.kernel.start(self.cells[cell], cell, deleted))
        return ran

    def chat(self, cell: str, prompt: str, deleted: tuple[str, ...] = ()) -> Notebook:
        ran = self.run(cell, f"%%chat\n{prompt}", deleted)
        assert ran.status == "ok", ran.traceback
        return self

    def rename(self, path: str) -> Notebook:
        """What JupyterLab does: the file first, then the session that shows it."""
        self.server.ask("PATCH", f"contents/{self.path}", path=path)
        self.path = path
        name = path.rpartition("/")[2]
        self.server.ask("PATCH", f"sessions/{self.session['id']}", path=path, name=name, type="notebook")
        return self

    def copy(self, path: str) -> Notebook:
        """Duplicate the file; the copy is not open anywhere."""
        made = self.server.ask("POST", f"contents/{path.rpartition('/')[0]}", copy_from=self.path)
        self.server.ask("PATCH", f"contents/{made['path']}", path=path)
        return Notebook(self.server, path, self.cells)

    def delete(self) -> None:
        self.server.ask("DELETE", f"contents/{self.path}")

    def restart(self) -> Notebook:
        """The Restart button: the kernel keeps the environment of its first start."""
        self.kernel.stop()
        self.server.ask("POST", f"kernels/{self.kernel.id}/restart")
        self.kernel = ServerKernel(self.server, self.kernel.id)
        return self

    def kill(self) -> Notebook:
        """Kill -9; the server starts the kernel again."""
        os.kill(self.kernel.pid, signal.SIGKILL)
        self.kernel.stop()
        self.kernel = ServerKernel(self.server, self.kernel.id)
        return self

    def close(self) -> None:
        """Shut the session down, and its kernel with it; once."""
        if self.kernel is not None:
            self.kernel.stop()
            self.kernel = None
            self.server.ask("DELETE", f"sessions/{self.session['id']}")


class ServerKernel(Kernel):
    """A kernel that the server started, reached through its connection file."""

    def __init__(self, server: JupyterServer, kernel: str) -> None:
        self.id = kernel
        file = server.folder / "runtime" / f"kernel-{kernel}.json"
        for last in (False, False, True):  # a kernel that found a port taken is started again with others
            try:
                self.client = _ready(file)
                break
            except (RuntimeError, Again):
                if last:
                    raise
        self.messages = defaultdict(list)
        self.replies: dict[str, dict[str, Any]] = {}
        self.pid = int(self.run("import os; print(os.getpid())").printed)

    def start(self, code: str, cell: str | None = None, deleted: tuple[str, ...] = ()) -> str:
        """Ask for an execution as JupyterLab does; return its message id."""
        content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False, "stop_on_error": True}
        metadata = {"cellId": cell, "deletedCells": list(deleted), "recordTiming": False}
        message = self.client.session.msg("execute_request", content, metadata=metadata)
        self.client.shell_channel.send(message)
        return str(message["header"]["msg_id"])

    def stop(self) -> None:
        self.client.stop_channels()


def _ready(file: Path) -> BlockingKernelClient:
    """A client of the kernel that the connection file names; RuntimeError or Again if it does not answer."""
    client = BlockingKernelClient(connection_file=str(file))
    client.load_connection_file()
    client.start_channels(hb=False)  # its beat is missed while the kernel starts
    client.shell_channel.socket.sndtimeo = 5_000
    try:
        client.wait_for_ready(timeout=WAIT_S / 2)
    except (RuntimeError, Again):
        client.stop_channels()
        raise
    return client
