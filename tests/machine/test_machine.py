"""A bare machine: pip without ensurepip, a browser by whatever way is open, and one line where none is."""

from __future__ import annotations

import hashlib
import http.server
import os
import subprocess
import sys
import threading
import zipfile
from typing import TYPE_CHECKING

import pytest

from tests.machine import browser, environment, system
from tests.machine.system import Missing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package index on this machine, whose pip is a program that leaves a mark."""
    folder = tmp_path / "index"
    (folder / "pip").mkdir(parents=True)
    wheel = folder / "pip" / environment.PIP
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("pip/__main__.py", "import sys, pathlib; pathlib.Path('installed').write_text(sys.argv[-1])")
    (folder / "pip" / "index.html").write_text(f'<a href="../pip/{environment.PIP}#sha256=0">pip</a>')

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args: object) -> None:
            super().__init__(*args, directory=str(folder))

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setattr(environment, "PIP_SHA256", hashlib.sha256(wheel.read_bytes()).hexdigest())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(environment.importlib.util, "find_spec", lambda _: None)
    yield wheel
    server.shutdown()
    server.server_close()


def _refuse(*_: str, **__: object) -> str:
    raise Missing("no right to install a package")


def test_pip_without_ensurepip(index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where ensurepip is missing and nothing may be installed, pip comes from the package index."""
    monkeypatch.setattr(environment, "install", _refuse)
    environment._make()
    assert (tmp_path / environment.PYTHON).exists()
    assert (tmp_path / "installed").read_text().endswith(index.name)


def test_another_pip_is_refused(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file of that name with other bytes is not run, and one line says so."""
    index.write_bytes(index.read_bytes() + b"\0")
    monkeypatch.setattr(environment, "install", _refuse)
    assert environment.main() == 1
    assert not (tmp_path / "installed").exists()
    assert capsys.readouterr().err == (
        f"No environment can be made in .venv: {environment.PIP} is not the file that was expected\n"
    )


def test_the_systems_package_first(index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where python3-venv may be installed, it is, and the environment is made as usual."""
    asked: list[tuple[str, ...]] = []
    made: list[tuple[str, ...]] = []
    monkeypatch.setattr(environment, "install", lambda *names: asked.append(names))
    monkeypatch.setattr(environment, "run", lambda *command: made.append(command))
    environment._make()
    assert asked == [("python3-venv",)]
    assert made == [(sys.executable, "-m", "venv", ".venv")]
    assert index.exists()


@pytest.fixture
def ways(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """Each way finds nothing; a test opens one."""
    monkeypatch.setattr(browser, "STAMP", tmp_path / "browser")
    monkeypatch.setattr(browser, "_ensure_driver", lambda: None)
    ways = dict.fromkeys(browser.WAYS, _refuse)
    monkeypatch.setattr(browser, "WAYS", ways)
    return ways


@pytest.mark.parametrize("open_way", list(browser.WAYS))
def test_the_first_way_that_works(
    ways: dict[str, object], open_way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The browser of the first way whose browser shows a page is the one that the tests use."""
    path = tmp_path / "chromium"
    path.touch()
    broken = str(tmp_path / "broken")
    checked = {str(path): str(path)}
    monkeypatch.setattr(browser, "_checked", lambda found: checked.get(found) or _refuse())
    ways |= dict.fromkeys(ways, lambda: broken) | {open_way: lambda: str(path)}
    assert browser.main() == 0
    assert browser.chromium() == str(path)


def test_no_way_at_all(ways: dict[str, object], capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Where no browser can be had, one line says what was tried and what to do; nothing is written down."""
    assert browser.main() == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("No Chromium can be had; install it and try again. PATH and Playwright: no right")
    assert all(f"{name}: " in line for name in ways)
    assert not (tmp_path / "browser").exists()


def test_without_a_browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that needs a browser says how to get one, also where the browser of the note has gone."""
    monkeypatch.setattr(browser, "STAMP", tmp_path / "browser")
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "browser").write_text(str(tmp_path / "gone"))
    with pytest.raises(Missing, match=r"`make \.venv/browser` finds or brings one"):
        browser.chromium()


def test_what_is_no_browser(tmp_path: Path) -> None:
    """A program that is no browser does not count."""
    path = tmp_path / "chromium"
    path.write_text("#!/bin/sh\necho 'error while loading shared libraries: libnss3.so' >&2\nexit 127\n")
    path.chmod(0o755)
    with pytest.raises(Missing, match="does not start"):
        browser._checked(str(path))


def test_a_library_for_playwright(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one library that Playwright's program lacks on a bare Debian is installed, and it is tried again."""
    done: list[str] = []

    def run(*_: str) -> str:
        if not done:
            raise Missing("node: error while loading shared libraries: libatomic.so.1")
        return "Version 1"

    monkeypatch.setattr(browser, "run", run)
    monkeypatch.setattr(browser, "install", done.append)
    browser._ensure_driver()
    assert done == ["libatomic1"]


@pytest.mark.skipif(os.name == "nt", reason="apt is Debian's")
@pytest.mark.parametrize(("root", "sudo", "ran"), [(True, False, True), (False, True, True), (False, False, False)])
def test_who_may_install(root: bool, sudo: bool, ran: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package is installed by root, or by a sudo that asks nothing; else the line says that nobody may."""
    log = tmp_path / "log"
    for name, code in (("apt-get", f'echo "$@" >> {log}'), ("sudo", 'shift; exec "$@"' if sudo else "exit 1")):
        (tmp_path / name).write_text(f"#!/bin/sh\n{code}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(system.os, "geteuid", lambda: 0 if root else 1000)
    if ran:
        system.install("chromium")
        assert log.read_text().splitlines() == ["-q -y update", "-q -y --no-install-recommends install chromium"]
    else:
        with pytest.raises(Missing, match="no right to install a package"):
            system.install("chromium")
        assert not log.exists()


def test_the_environment_module_is_for_a_bare_python() -> None:
    """What makes .venv runs in a Python that has nothing but its standard library."""
    found = "[name for name, module in sys.modules.items() if 'site-packages' in str(module)]"
    code = f"import sys; sys.path.insert(0, '.'); import tests.machine.environment; print({found})"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code],
        cwd=browser.Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[]\n"
