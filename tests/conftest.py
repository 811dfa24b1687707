"""What every test stands on: a machine without a past, and the demo server as the Ollama that answers."""

from __future__ import annotations

import gc
import os
import re
import signal
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from xdist.scheduler import LoadScopeScheduling

    from tests.double import ScriptedServer

# What a developer's machine may have set and a test must not see.
FOREIGN = re.compile(
    r"OLLAMA_(?!MAGIC_)|OLLAMA_MAGIC_CACHE$|JUPYTER_|JPY_|IPYTHON|(?:.*_)?proxy$|SSL_CERT_|REQUESTS_CA_|CURL_CA_",
    re.IGNORECASE,
)

# What takes longest begins first, so that no worker waits for another at the end; by the beginnings of names.
FIRST = tuple(
    f"tests/{name}"
    for name in (
        "frontends/test_labextension",
        "frontends/test_notebook7",
        "frontends/test_panel_notebook7",
        "frontends/test_floors",
        "browser/test_hostile",
        "browser/test_flood",
        "browser",
        "frontends",
        "sessions",
        "kernel",
        "binder",
        "test_data_example",
        "engine",
        "magics/test_line_prompts",
        "markdown/test_renderer",
    )
)


# Files that share a server: they go to one worker together.
NOTEBOOK7 = (
    "tests/frontends/test_labextension",
    "tests/frontends/test_notebook7",
    "tests/frontends/test_panel_notebook7",
)


def _place(file: str) -> int:
    return next((place for place, name in enumerate(FIRST) if file.startswith(name)), len(FIRST))


# jsonschema does without it, and its grammar takes three seconds in each process; see tests/quick.
sys.modules["rfc3987_syntax"] = None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Order the files for several workers: slow ones first, then those with the most tests."""
    if hasattr(config, "workerinput"):
        files = [item.nodeid.partition("::")[0] for item in items]
        tests = Counter(files)
        places = {file: (_place(file), -tests[file], file) for file in tests}
        items.sort(key=lambda item: places[item.nodeid.partition("::")[0]])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Give a file whole to one worker: its tests share a browser, a server or a kernel, and what they import."""
    from xdist.scheduler import LoadScopeScheduling

    class Files(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return "Notebook 7" if nodeid.startswith(NOTEBOOK7) else nodeid.partition("::")[0]

    config.option.loadscopereorder = False
    return Files(config, log)


def pytest_configure() -> None:
    """Let ■ be tried where a shell started the tests in the background, and they would ignore it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Collect thousands of tests without looking for garbage among them, which takes a third of the time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_collection_finish() -> None:
    """Leave the thousands of collected tests out of every collection of garbage, of which shells ask for many."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def bare_machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A fresh home and an environment without traces of other tools."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if FOREIGN.match(name)]:
            patch.delenv(name)
        for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
            patch.delenv(name, raising=False)
        patch.setenv("HOME", str(home))
        patch.setenv("IPYTHONDIR", str(home / "ipython"))
        for kind in ("CONFIG", "DATA", "RUNTIME"):
            patch.setenv(f"JUPYTER_{kind}_DIR", str(home / kind.lower()))
        patch.setenv("JUPYTER_PLATFORM_DIRS", "1")
        patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)  # every kernel would compile the package anew
        yield home


@pytest.fixture
def demo_server() -> Iterator[Callable[..., ScriptedServer]]:
    """Starts demo servers, with the arguments of `ScriptedServer`; all are stopped when the test ends."""
    from tests.double import ScriptedServer

    started: list[ScriptedServer] = []

    def start(**options: object) -> ScriptedServer:
        started.append(ScriptedServer(**options).start())
        return started[-1]

    yield start
    for server in started:
        server.stop()
