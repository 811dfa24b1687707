"""Where the store's files lie, what they are called, and who may read them. No SQLite here.

conversations.sqlite                 the store
conversations.2.sqlite               what took its place when it was damaged; the damaged file stays as it is
conversations@host-57-1234.sqlite    one kernel's own, where the folder has no locks
"""

from __future__ import annotations

import os
import re
import sys
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import IO

from ollama_magic.errors import StoreError

NAME = "conversations.sqlite"
BESIDE = ("-wal", "-shm", "-journal")  # SQLite's files beside a store
NETWORK = frozenset(
    [
        "9p",
        "acfs",
        "afs",
        "beegfs",
        "ceph",
        "cifs",
        "fuse.ceph",
        "fuse.glusterfs",
        "fuse.rclone",
        "fuse.s3fs",
        "fuse.sshfs",
        "glusterfs",
        "gpfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "orangefs",
        "pvfs2",
        "smb2",
        "smb3",
        "smbfs",
    ]
)


def default_path() -> Path:
    """The store of this user, in the platform's data folder; StoreError where there is none."""
    return _data_folder() / "ollama_magic" / NAME


def told_path(path: Path) -> Path:
    """The store at a path that somebody typed: absolute, with ~ filled in; in a folder it has its own name."""
    absolute = Path(os.path.abspath(_expanded(path)))  # noqa: PTH100 (resolve() would follow links)
    return absolute / NAME if os.path.isdir(absolute) else absolute  # noqa: PTH112 (is_dir() may raise)


def prepare(path: Path) -> None:
    """Make the file, and the folders that are missing, for this user alone; take others' rights from the file."""
    _make_folders(path.parent)
    if path.parent == _own_folder():
        _tighten(path.parent)
    try:
        # Never opened once it exists: closing it again would drop the locks of the connections we have (POSIX).
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
    except FileExistsError:
        _tighten(path)
        _follow(path)
    else:
        os.close(descriptor)
        path.chmod(0o600)


def newest(base: Path) -> Path:
    """The file in use: the last of those that took a damaged one's place, else the first."""
    return max([base, *_matching(base, r"\.(\d+)")], key=lambda path: generation(base, path))


def generation(base: Path, path: Path) -> int:
    """1 for the first file of a store, 2 for the one that took its place, and so on."""
    number = re.fullmatch(re.escape(base.stem) + r"\.(\d+)", path.stem)
    return int(number[1]) if number else 1


def nth(base: Path, number: int) -> Path:
    """The file of that generation."""
    return base if number == 1 else base.with_name(f"{base.stem}.{number}{base.suffix}")


def superseded(base: Path) -> list[Path]:
    """The damaged files that are still there."""
    earlier = (nth(base, number) for number in range(1, generation(base, newest(base))))
    return [path for path in earlier if path.exists()]


def kernels_files(base: Path) -> list[Path]:
    """The files that kernels wrote alone, first generations only."""
    return sorted(_matching(base, r"@[^.]+"))


def kernels_file(base: Path, pid: int, start: float) -> Path:
    """The file that one kernel writes alone."""
    import platform

    host = re.sub(r"[^\w-]", "_", platform.node())
    return base.with_name(f"{base.stem}@{host}-{pid}-{int(start * 100)}{base.suffix}")


def on_network(folder: Path) -> bool:
    """Whether the folder comes from another machine: SQLite's WAL needs shared memory, which that does not give."""
    if sys.platform == "win32":
        return str(folder).startswith("\\\\")
    return _filesystem(os.path.realpath(folder)) in NETWORK


@lru_cache(maxsize=4)
def locks_usable(folder: Path) -> bool:
    """Whether a file in the folder can be locked; tried with a file of its own, True where none can be made."""
    if sys.platform == "win32":
        return True
    import tempfile

    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".locks-") as probe:
            return can_lock(probe)
    except OSError:
        return True


def can_lock(file: IO[bytes]) -> bool:
    """Whether this file can be locked."""
    if sys.platform != "win32":
        import fcntl

        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
    return True


def _data_folder() -> Path:
    if sys.platform == "win32":
        folder = os.environ.get("LOCALAPPDATA") or os.environ.get("APPDATA") or ""
        return Path(folder) if folder else _expanded(Path("~/AppData/Local"))
    if sys.platform == "darwin":
        return _expanded(Path("~/Library/Application Support"))
    told = os.environ.get("XDG_DATA_HOME", "")
    return Path(told) if Path(told).is_absolute() else _expanded(Path("~/.local/share"))


def _expanded(path: Path) -> Path:
    try:
        expanded = path.expanduser()
    except RuntimeError:
        expanded = path
    if path.parts[:1] == ("~",) and not expanded.is_absolute():
        raise StoreError(
            "There is no home folder to keep conversations in; tell a place with `%config OllamaMagic.store`."
        )
    return expanded


def _own_folder() -> Path | None:
    try:
        return default_path().parent
    except StoreError:
        return None


def _make_folders(folder: Path) -> None:
    if folder.is_dir():
        return
    _make_folders(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    folder.chmod(0o700)


def _tighten(path: Path) -> None:
    try:
        mode = path.stat().st_mode
        if mode & 0o077:
            path.chmod(mode & 0o700)
    except OSError:  # not there, or another's: opening it will tell
        return


def _follow(path: Path) -> None:
    """Give SQLite's files the mode of the store: they keep the one that it had when they were made."""
    mode = path.stat().st_mode & 0o700
    for beside in (path.with_name(path.name + end) for end in BESIDE):
        with suppress(OSError):
            if beside.stat().st_mode & 0o777 != mode:
                beside.chmod(mode)


def _matching(base: Path, middle: str) -> list[Path]:
    pattern = re.compile(re.escape(base.stem) + middle + re.escape(base.suffix))
    try:
        return [path for path in base.parent.iterdir() if pattern.fullmatch(path.name)]
    except OSError:
        return []


def _filesystem(folder: str) -> str:
    try:
        lines = Path("/proc/self/mounts").read_text(encoding="utf8", errors="surrogateescape").splitlines()
    except OSError:
        return ""
    longest, kind = "", ""
    for line in lines:
        point, fstype = line.split()[1:3]
        point = point.replace("\\040", " ").rstrip("/")
        if f"{folder}/".startswith(f"{point}/") and len(point) >= len(longest):
            longest, kind = point, fstype
    return kind
