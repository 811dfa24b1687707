"""How many threads and how much memory the engine may take."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from ollama_magic.demo.engine import limits

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def cgroups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine of 16 idle processors whose cgroups the test writes."""
    monkeypatch.setattr(limits, "_CGROUPS", tmp_path)
    monkeypatch.setattr(limits, "_OWN_CGROUP", tmp_path / "self")
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(16)))
    monkeypatch.setattr(os, "getloadavg", lambda: (0.0, 0.0, 0.0))
    return tmp_path


def written(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def test_at_most_eight(cgroups: Path) -> None:
    """On a large machine the engine gets eight threads."""
    assert limits.thread_count({}) == 8


def test_affinity(cgroups: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that is bound to two processors gets two threads."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {3, 5})
    assert limits.thread_count({}) == 2


def test_quota_of_the_second_version(cgroups: Path) -> None:
    """The tightest quota among the own cgroup and those around it counts, rounded down."""
    written(cgroups, {"self": "0::/pod/app", "pod/cpu.max": "350000 100000", "pod/app/cpu.max": "max 100000"})
    assert limits.thread_count({}) == 3


def test_quota_of_the_first_version(cgroups: Path) -> None:
    """A quota below one processor still gives one thread."""
    files = {"cpu,cpuacct/app/cpu.cfs_quota_us": "50000", "cpu,cpuacct/app/cpu.cfs_period_us": "100000"}
    written(cgroups, {"self": "4:cpu,cpuacct:/app\n0::/", **files})
    assert limits.thread_count({}) == 1


def test_a_busy_machine(cgroups: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Processors that others use are left to them, but one thread there always is."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(4)))
    monkeypatch.setattr(os, "getloadavg", lambda: (2.6, 0.0, 0.0))
    assert limits.thread_count({}) == 2
    monkeypatch.setattr(os, "getloadavg", lambda: (20.0, 0.0, 0.0))
    assert limits.thread_count({}) == 1


@pytest.mark.parametrize(("value", "threads"), [("1", 1), ("12", 12), ("0", 8), ("many", 8), ("", 8)])
def test_the_environment_decides(cgroups: Path, value: str, threads: int) -> None:
    """A positive number in the environment is taken as it is; anything else is ignored."""
    assert limits.thread_count({limits.THREADS_VARIABLE: value}) == threads


def test_memory_of_a_cgroup(cgroups: Path) -> None:
    """The memory left is the cgroup's limit less what is used, where the page cache counts as free."""
    files = {"app/memory.max": "1000", "app/memory.current": "700", "app/memory.stat": "anon 1\ninactive_file 200\n"}
    written(cgroups, {"self": "0::/app", **files})
    assert limits.available_memory() == 500


def test_memory_of_the_machine(cgroups: Path) -> None:
    """Without a limit of a cgroup the kernel's word counts."""
    found = limits.available_memory()
    assert found is not None
    assert found > 0
