"""Identifies processes and whether they still run: from /proc on Linux, elsewhere with psutil if it is installed."""

from __future__ import annotations

import os
import platform
import sys
import time
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ollama_magic.store.records import Writer

PROC = Path("/proc")
SAME_START_S = 1.0  # earlier versions stored whole seconds on a Mac
FOREIGN_S = 600.0  # how long a claim of another machine counts, whose processes cannot be seen


def this_process() -> Writer:
    """Return the id and the start time of this process; the time is 0 if unknown."""
    return os.getpid(), _own_start(os.getpid())


def alive(writer: Writer) -> bool:
    """Whether the process still runs; a later one with the same id does not count."""
    pid, start = writer
    now = started(pid)
    return now is not None and (not start or not now or abs(now - start) < SAME_START_S)


@lru_cache(maxsize=1)
def this_machine() -> str:
    """Return the name of this machine and, if known, its boot id: a process does not survive a reboot."""
    try:
        boot = (PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        boot = ""
    return f"{platform.node()} {boot}"


def claim_holds(writer: Writer, machine: str, seen_at: float) -> bool:
    """Whether a process, perhaps on another machine, must be assumed to run."""
    ours = this_machine()
    if machine == ours:
        return alive(writer)
    same_name = machine.partition(" ")[0] == ours.partition(" ")[0]
    return not same_name and abs(time.time() - seen_at) < FOREIGN_S


def started(pid: int) -> float | None:
    """Return when a process started, on some clock of this machine; None if it does not run, 0 if unknown."""
    if pid <= 0:
        return None
    if (PROC / "self/stat").exists():
        return _started_proc(pid)
    try:
        import psutil  # type: ignore[import-untyped] # ipykernel brings it
    except ImportError:
        return _started_unknown(pid)
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else float(process.create_time())
    except psutil.NoSuchProcess:
        return None
    except psutil.Error:
        return 0.0


@lru_cache(maxsize=4)
def _own_start(pid: int) -> float:
    return started(pid) or 0.0


def _started_proc(pid: int) -> float | None:
    try:
        stat = (PROC / str(pid) / "stat").read_bytes()
    except OSError:
        return None
    state, *rest = stat.rpartition(b")")[2].split()  # the name before it may contain spaces and parentheses
    if state in {b"Z", b"X"}:  # dead, but not reaped
        return None
    return int(rest[18]) / os.sysconf("SC_CLK_TCK")


def _started_unknown(pid: int) -> float | None:
    """Without psutil only this process is known to run on Windows, which has no signal 0."""
    if sys.platform == "win32":
        return 0.0 if pid == os.getpid() else None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except OSError:
        pass
    return 0.0
