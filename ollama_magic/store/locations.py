"""The paths, names and permissions of the store's files. No SQLite.

conversations.sqlite                 the store
conversations.2.sqlite               version 1 of the schema used this one when the first was damaged
conversations.damaged-1.sqlite       a damaged store, renamed
conversations@host-57-1234.sqlite    one kernel's own, if the folder has no locks
"""

from __future__ import annotations

import os
import re
import sys
from contextlib import suppress
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import IO

from ollama_magic.errors import StoreError

NAME = "conversations.sqlite"
BESIDE = ("-wal", "-shm", "-journal")  # SQLite's files beside a store
NETWORK = (  # file systems that come from another machine
    "9p acfs afs beegfs ceph cifs fuse.ceph fuse.glusterfs fuse.rclone fuse.s3fs fuse.sshfs glusterfs gpfs lustre "
    "ncpfs nfs nfs4 orangefs pvfs2 smb2 smb3 smbfs"
)


def default_path() -> Path:
    """Return this user's store in the platform's data folder; StoreError if there is none."""
    return _data_folder() / "ollama_magic" / NAME


def resolve_path(path: Path) -> Path:
    """Return the absolute path of a store at a path that a user typed; in a folder it has its usual name."""
    try:
        absolute = Path(os.path.abspath(_expanded(path)))  # noqa: PTH100 (resolve() would follow links)
    except FileNotFoundError:
        raise StoreError(
            "The kernel's folder is gone; change it with `%cd`, or set a whole path with `%config OllamaMagic.store`."
        ) from None
    return absolute / NAME if os.path.isdir(absolute) else absolute  # noqa: PTH112 (is_dir() may raise)


def prepare(path: Path) -> None:
    """Create the file and its folders for this user alone; remove the permissions of others."""
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


def current(base: Path) -> Path:
    """Return the file in use: the last one with which version 1 replaced a damaged one, else the base."""
    return max([base, *_matching(base, r"\.\d+")], key=lambda path: (len(path.name), path.name))


def set_aside(path: Path) -> Path:
    """Rename a damaged file, with SQLite's files beside it; return its new name."""
    taken = {damaged.name for damaged in damaged_files(path)}
    names = (f"{path.stem}.damaged-{number}{path.suffix}" for number in count(1))
    aside = path.with_name(next(name for name in names if name not in taken))
    for end in (*BESIDE, ""):  # the log first: a new file would read an old log
        with suppress(FileNotFoundError):
            path.with_name(path.name + end).rename(aside.with_name(aside.name + end))
    return aside


def damaged_files(base: Path) -> list[Path]:
    """Return the damaged files of a store that still exist."""
    superseded = {base, *_matching(base, r"\.\d+")} - {current(base)}
    return sorted([*_matching(base, r"(\.\d+)?\.damaged-\d+"), *(path for path in superseded if path.exists())])


def identity(path: Path) -> tuple[int, int] | None:
    """Return device and inode, which distinguish files of the same name; None if there is no file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def kernels_files(base: Path) -> list[Path]:
    """Return the files that single kernels wrote."""
    return sorted(_matching(base, r"@[^.]+"))


def kernels_file(base: Path, pid: int, start: float) -> Path:
    """Return the file that only this kernel writes."""
    import platform

    host = re.sub(r"[^\w-]", "_", platform.node())
    return base.with_name(f"{base.stem}@{host}-{pid}-{int(start * 100)}{base.suffix}")


def on_network(folder: Path) -> bool:
    """Whether the folder is on another machine, where SQLite's WAL has no shared memory."""
    if sys.platform == "win32":
        return str(folder).startswith("\\\\")
    return _filesystem(os.path.realpath(folder)) in NETWORK.split()


@lru_cache(maxsize=4)
def locks_usable(folder: Path) -> bool:
    """Whether a file in the folder can be locked; tried with a temporary file, True if none can be created."""
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
    folder = os.environ.get("XDG_DATA_HOME", "")
    return Path(folder) if Path(folder).is_absolute() else _expanded(Path("~/.local/share"))


def _expanded(path: Path) -> Path:
    try:
        expanded = path.expanduser()
    except RuntimeError:
        expanded = path
    if path.parts[:1] == ("~",) and not expanded.is_absolute():
        raise StoreError(
            "There is no home folder to store conversations in; set a path with `%config OllamaMagic.store`."
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
    except OSError:  # missing, or another user's: opening it will show that
        return


def _follow(path: Path) -> None:
    """Give SQLite's files the mode of the store, which may have changed since they were created."""
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
