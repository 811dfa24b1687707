"""Which process is this, and does that one still live? Linux answers from /proc, Windows by its API, others by ps."""

from __future__ import annotations

import os
import platform
import sys
import time
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ollama_magic.store.values import Writer

PROC = Path("/proc")
SAME_START_S = 1.0  # ps tells whole seconds
FOREIGN_S = 600.0  # how long a claim made on another machine, whose processes nobody here can see, counts


def this_process() -> Writer:
    """The id and the start time of this process; the time is 0 where it cannot be known."""
    return os.getpid(), _own_start(os.getpid())


def alive(writer: Writer) -> bool:
    """Whether the process still runs; another one that was given the same id does not count."""
    pid, start = writer
    now = started(pid)
    return now is not None and (not start or not now or abs(now - start) < SAME_START_S)


@lru_cache(maxsize=1)
def this_machine() -> str:
    """The name of this machine and, where it is known, of its present run: a process does not survive a reboot."""
    try:
        boot = (PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        boot = ""
    return f"{platform.node()} {boot}"


def claim_holds(writer: Writer, machine: str, seen_at: float) -> bool:
    """Whether a process, perhaps of another machine, must be taken for living."""
    here = this_machine()
    if machine == here:
        return alive(writer)
    same_name = machine.partition(" ")[0] == here.partition(" ")[0]
    return not same_name and abs(time.time() - seen_at) < FOREIGN_S


def started(pid: int) -> float | None:
    """When a process started, on some clock of this machine; None: it does not run; 0: it runs, unknown since when."""
    if pid <= 0:
        return None
    if sys.platform == "win32":
        return _started_windows(pid)
    return _started_proc(pid) if (PROC / "self/stat").exists() else _started_ps(pid)


@lru_cache(maxsize=4)
def _own_start(pid: int) -> float:
    return started(pid) or 0.0


def _started_proc(pid: int) -> float | None:
    try:
        stat = (PROC / str(pid) / "stat").read_bytes()
    except OSError:
        return None
    state, *rest = stat.rpartition(b")")[2].split()  # the name before it may hold blanks and brackets
    if state in {b"Z", b"X"}:  # dead, and nobody has looked
        return None
    return int(rest[18]) / os.sysconf("SC_CLK_TCK")


def _started_ps(pid: int) -> float | None:
    import subprocess

    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except OSError:
        return 0.0
    command = ["ps", "-o", "lstart=", "-p", str(pid)]
    try:
        done = subprocess.run(  # noqa: S603
            command, capture_output=True, text=True, timeout=2, check=True, env={**os.environ, "LC_ALL": "C"}
        )
        return time.mktime(time.strptime(done.stdout.strip(), "%a %b %d %H:%M:%S %Y"))
    except (OSError, ValueError, subprocess.SubprocessError):
        return 0.0


def _started_windows(pid: int) -> float | None:
    if sys.platform != "win32":
        return None
    import ctypes

    kernel = ctypes.windll.kernel32
    process = kernel.OpenProcess(0x1000, False, pid)  # PROCESS_QUERY_LIMITED_INFORMATION
    if not process:
        return 0.0 if kernel.GetLastError() == 5 else None  # it runs, and is not ours
    times = [ctypes.c_uint64() for _ in range(4)]
    code = ctypes.c_uint32()
    try:
        kernel.GetExitCodeProcess(process, ctypes.byref(code))
        kernel.GetProcessTimes(process, *(ctypes.byref(each) for each in times))
    finally:
        kernel.CloseHandle(process)
    return times[0].value / 1e7 if code.value == 259 else None  # STILL_ACTIVE
