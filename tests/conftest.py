"""What every test stands on: a machine without a past, and the demo server as the Ollama that answers."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from xdist.scheduler import LoadScopeScheduling

    from ollama_magic.demo.server import DemoServer

# What a developer's machine may have set and a test must not see.
FOREIGN = re.compile(
    r"OLLAMA_(?!MAGIC_)|JUPYTER_|JPY_|IPYTHON|(?:.*_)?proxy$|SSL_CERT_|REQUESTS_CA_|CURL_CA_", re.IGNORECASE
)

# Files whose tests share a browser, a server or a kernel: each goes whole to one worker (pytest -n), before all others.
WHOLE = re.compile(
    "tests/(binder|browser|frontends|kernel|sessions)/|tests/(magics/test_(completion|line_prompts|magics)"
    "|ollama/test_environments|store/test_damage)\\.py"
)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Keep such a file together. Marks of groups cannot: with pytest 9.2 xdist 3.8 reads none and says nothing."""
    from xdist.scheduler import LoadScopeScheduling

    class Files(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return nodeid.partition("::")[0] if WHOLE.match(nodeid) else nodeid

    return Files(config, log)


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
        patch.setenv("PYTHONDONTWRITEBYTECODE", "1")
        yield home


@pytest.fixture
def demo_server() -> Iterator[Callable[..., DemoServer]]:
    """Starts demo servers, with the arguments of `DemoServer`; all are stopped when the test ends."""
    from ollama_magic.demo.server import DemoServer

    started: list[DemoServer] = []

    def start(**options: object) -> DemoServer:
        started.append(DemoServer(**options).start())
        return started[-1]

    yield start
    for server in started:
        server.stop()
