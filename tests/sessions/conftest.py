"""One jupyter_server for all of these tests; a folder of it, and what Ollama heard, for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.double import ScriptedServer
from tests.sessions.server import JupyterServer, Notebook

if TYPE_CHECKING:
    from collections.abc import Iterator

CELLS = "abc"


def said(body):
    return [f"You said: {body['messages'][-1]['content'].strip()}"]


@pytest.fixture(scope="module")
def ollama() -> Iterator[ScriptedServer]:
    with ScriptedServer(pace=0, answers=said) as server:
        yield server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, bare_machine, ollama: ScriptedServer) -> Iterator[JupyterServer]:
    server = JupyterServer(tmp_path_factory.mktemp("server"), ollama.url)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def second_server(
    tmp_path_factory: pytest.TempPathFactory, server: JupyterServer, ollama: ScriptedServer
) -> Iterator[JupyterServer]:
    """Another server on the same folder, with the same store: one notebook can have two kernels then."""
    second = JupyterServer(tmp_path_factory.mktemp("second"), ollama.url, shared=server.folder)
    yield second
    second.stop()


class Desk:
    """A folder of its own, and the notebooks that are open in it."""

    def __init__(self, server: JupyterServer, ollama: ScriptedServer, folder: str) -> None:
        self.server, self.ollama, self.folder = server, ollama, folder
        self.opened: list[Notebook] = []
        server.ask("PUT", f"contents/{folder}", type="directory")

    def new(self, name: str, mark: str = "") -> Notebook:
        """A saved notebook of a cell that loads and three that chat; its ids are those of this mark."""
        cells = {f"{self.folder}-{mark}{letter}": f"%%chat\nprompt {letter}" for letter in CELLS}
        cells = {f"{self.folder}-{mark}load": "%load_ext ollama_magic", **cells}
        return Notebook(self.server, f"{self.folder}/{name}.ipynb", cells).save()

    def open(self, notebook: Notebook, mark: str = "") -> Notebook:
        """Start its session and load."""
        self.opened.append(notebook.start())
        return notebook.load(f"{self.folder}-{mark}load")

    def chat(self, notebook: Notebook, letter: str, prompt: str = "", mark: str = "") -> list[str]:
        """Ask in one of its cells; return all prompts that were sent."""
        notebook.chat(f"{self.folder}-{mark}{letter}", prompt or f"prompt {letter}")
        return self.sent()

    def sent(self) -> list[str]:
        asked = [one for one in self.ollama.requests if one.path == "/api/chat"][-1]
        return [message["content"] for message in asked.json["messages"] if message["role"] == "user"]


@pytest.fixture
def desk(server: JupyterServer, ollama: ScriptedServer, request: pytest.FixtureRequest) -> Iterator[Desk]:
    name = request.node.name.removeprefix("test_")[:30].replace("[", "-").replace("]", "")
    desk = Desk(server, ollama, name.replace("_", "-"))
    yield desk
    ollama.state.answers = said
    for notebook in desk.opened:
        notebook.close()
