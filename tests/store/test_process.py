"""Who lives: processes by their id and start time, on this machine and elsewhere."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ollama_magic.store import process as store_process
from ollama_magic.store.process import alive, claim_holds, started, this_machine, this_process

POSIX_ONLY = pytest.mark.skipif(sys.platform == "win32", reason="asks /proc or psutil")


@pytest.fixture(params=["proc", "psutil"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Linux asks /proc; where there is none, psutil, if it is there."""
    if request.param == "psutil":
        monkeypatch.setattr(store_process, "PROC", Path("/nowhere"))
    return str(request.param)


@POSIX_ONLY
@pytest.mark.usefixtures("way")
def test_this_process_lives() -> None:
    """A process is alive under its own start time, and another of its id is not."""
    start = started(os.getpid())
    assert start
    assert alive((os.getpid(), start))
    assert not alive((os.getpid(), start + 100))


@POSIX_ONLY
@pytest.mark.usefixtures("way")
def test_the_dead_are_dead() -> None:
    """A process that ended is not alive, and nor is one that nobody has waited for yet."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    writer = (process.pid, started(process.pid) or 0.0)
    assert alive(writer)
    process.communicate()
    assert not alive(writer)
    assert not alive((0, 0.0))
    assert not alive((-1, 0.0))


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="asks /proc")
def test_a_zombie_is_dead() -> None:
    """A killed process whose parent has not looked yet counts as dead."""
    with subprocess.Popen(
        [sys.executable, "-c", "print(flush=True); input()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        process.stdout.readline()
        writer = (process.pid, started(process.pid) or 0.0)
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert not alive(writer)


@POSIX_ONLY
def test_without_psutil_the_id_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where neither /proc nor psutil is there, a process of that id counts as the one, and the dead are dead."""
    monkeypatch.setattr(store_process, "PROC", Path("/nowhere"))
    monkeypatch.setitem(sys.modules, "psutil", None)
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    assert alive((os.getpid(), 1.0))
    assert not alive((process.pid, 1.0))


def test_an_unknown_start_counts_by_the_id() -> None:
    """Where no start time is known, a process of that id counts as the one."""
    assert alive((os.getpid(), 0.0))


def test_claims_of_other_machines() -> None:
    """A claim from another machine holds for a while, one from before this machine's last start never."""
    now = time.time()
    assert claim_holds(this_process(), this_machine(), 0.0)
    assert claim_holds((1, 1.0), "elsewhere boot", now)
    assert not claim_holds((1, 1.0), "elsewhere boot", now - 3600)
    name = this_machine().partition(" ")[0]
    assert not claim_holds(this_process(), f"{name} an-earlier-boot", now)
