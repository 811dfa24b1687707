"""What this machine allows a model: processors by affinity, cgroup quota and load, and memory by cgroup and kernel."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

THREADS_VARIABLE = "OLLAMA_MAGIC_ENGINE_THREADS"
MOST_THREADS = 8  # a small model is not made faster by more
_CGROUPS = Path("/sys/fs/cgroup")
_OWN_CGROUP = Path("/proc/self/cgroup")
_MEMINFO = Path("/proc/meminfo")
_UNLIMITED = 1 << 60  # what the first cgroups say where there is no limit


def thread_count(environ: Mapping[str, str]) -> int:
    """How many threads the engine gets.

    Args:
        environ: The environment; a positive number in OLLAMA_MAGIC_ENGINE_THREADS is taken as it is.
    """
    wanted = environ.get(THREADS_VARIABLE, "").strip()
    if wanted.isdecimal() and int(wanted) > 0:
        return int(wanted)
    return max(1, min(MOST_THREADS, allowed_processors() - busy_processors()))


def allowed_processors() -> int:
    """The processors that this process may use: by its affinity, and by the quota of its cgroup, rounded down."""
    mine = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quotas = [quota for quota in (_quota(folder) for folder in _cgroup_folders("cpu")) if quota]
    return max(1, min([mine, *(math.floor(quota) for quota in quotas)]))


def busy_processors() -> int:
    """The processors that others have used in the last minute; threads that wait for each other there stand still."""
    try:
        return int(os.getloadavg()[0])
    except (AttributeError, OSError):  # Windows
        return 0


def available_memory() -> int | None:
    """Bytes that a new process may take; None where nobody says."""
    limits = [_kernel_memory(), *(_memory_left(folder) for folder in _cgroup_folders("memory"))]
    return min((limit for limit in limits if limit is not None), default=None)


def _cgroup_folders(controller: str) -> Iterator[Path]:
    """The folders of the own cgroup and of those around it, for cgroups of both versions."""
    for line in _text(_OWN_CGROUP).splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers or controller in controllers.split(","):
            root = _CGROUPS / controllers if controllers else _CGROUPS
            inner = root / path.strip("/")
            yield from (folder for folder in (inner, *inner.parents) if folder.is_relative_to(root) and folder.is_dir())


def _quota(folder: Path) -> float | None:
    """Processors that the quota of one cgroup comes to."""
    quota, _, period = _text(folder / "cpu.max").partition(" ")
    if not quota:
        quota, period = _text(folder / "cpu.cfs_quota_us"), _text(folder / "cpu.cfs_period_us")
    if not quota.strip().isdecimal() or not period.strip().isdecimal() or not int(period):
        return None
    return int(quota) / int(period)


def _memory_left(folder: Path) -> int | None:
    """Bytes below the limit of one cgroup; the page cache counts as free."""
    limit = _text(folder / "memory.max") or _text(folder / "memory.limit_in_bytes")
    used = _text(folder / "memory.current") or _text(folder / "memory.usage_in_bytes")
    if not limit.strip().isdecimal() or not used.strip().isdecimal() or int(limit) > _UNLIMITED:
        return None
    statistics = dict(line.split(" ", 1) for line in _text(folder / "memory.stat").splitlines() if " " in line)
    cache = int(statistics.get("inactive_file") or statistics.get("total_inactive_file") or 0)
    return max(0, int(limit) - int(used) + cache)


def _kernel_memory() -> int | None:
    for line in _text(_MEMINFO).splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # Windows
        return None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, ValueError):
        return ""
