"""Files that cannot be attached: each is one line, nothing waits, and nothing is sent."""

from __future__ import annotations

import os
import pickle
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ollama_magic.attachments.sources import read_source
from ollama_magic.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable


def why_not(path: object, name: str = "it") -> str:
    """The line that says why a source is refused."""
    with pytest.raises(InputError) as caught:
        read_source(path, name)
    line = str(caught.value)
    assert line.startswith(f"{name} cannot be attached: ")
    assert line.endswith(".")
    assert "\n" not in line
    return line


def pipe(folder: Path) -> Path:
    os.mkfifo(folder / "pipe")
    return folder / "pipe"


def loop(folder: Path) -> Path:
    (folder / "loop").symlink_to("loop")
    return folder / "loop"


def listening(folder: Path) -> Path:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "s"))
    return folder / "s"


def sparse(folder: Path) -> Path:
    with (folder / "sparse").open("wb") as file:
        file.truncate(10_000_000_000)
    return folder / "sparse"


def sparse_image(folder: Path) -> Path:
    with (folder / "sparse.png").open("wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        file.truncate(10_000_000_000)
    return folder / "sparse.png"


PLACES: dict[str, tuple[Callable[[Path], Path], str]] = {
    "missing": (lambda folder: folder / "none.txt", "there is no such file"),
    "below a file": (lambda folder: Path(__file__) / "x", "there is no such file"),
    "folder": (lambda folder: folder, "it is a folder"),
    "pipe": (pipe, "it is a pipe"),
    "socket": (listening, "it is a socket"),
    "device without end": (lambda folder: Path("/dev/zero"), "it is a device"),
    "terminal": (lambda folder: Path("/dev/tty"), "it is a device"),
    "link in a circle": (loop, "its links lead in a circle"),
    "10 GB": (sparse, "it has 10,000 MB, and a file may have 64 MB; attach a part of it"),
    "image of 10 GB": (sparse_image, "it has 10,000 MB, and an image or sound may have 20 MB; make it smaller"),
    "no name": (lambda folder: Path("\0"), "it cannot be read"),
    "long name": (lambda folder: folder / ("x" * 5_000), "it cannot be read"),
    "memory of the process": (lambda folder: Path("/proc/self/mem"), ""),
    "environment of the process": (lambda folder: Path("/proc/self/environ"), ""),
}


@pytest.mark.parametrize(("place", "why"), PLACES.values(), ids=list(PLACES))
def test_what_is_no_file_is_refused(place: Callable[[Path], Path], why: str, tmp_path: Path) -> None:
    """A pipe, a device, a folder, a huge file and the like are refused in one line, and nothing waits for them."""
    assert why in why_not(place(tmp_path))


def test_a_right_that_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing right is named, whoever runs the tests."""

    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "a").write_text("x")
    monkeypatch.setattr(os, "open", refuse)
    assert "you may not read it; check its permissions" in why_not(tmp_path / "a")


@pytest.mark.parametrize("change", ["grows", "shrinks", "is written"])
def test_a_file_that_changes_is_refused(change: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that changes while it is read is not sent, neither the old half nor the new."""
    path = tmp_path / "log"
    path.write_bytes(b"line\n" * 100_000)
    read, changes = os.read, {"grows": b"line\n" * 110_000, "shrinks": b"line\n", "is written": b"LINE\n" * 100_000}

    def slow_read(descriptor: int, size: int) -> bytes:
        data = read(descriptor, size)
        if data and changes:
            path.write_bytes(changes[change])
            os.utime(path, ns=(1, 1))
            changes.clear()
        return data

    monkeypatch.setattr(os, "read", slow_read)
    assert "it changed while it was read" in why_not(path)


def test_stop_ends_the_reading_of_a_file(tmp_path: Path) -> None:
    """A turn that is stopped reads no file to its end."""
    path = tmp_path / "log"
    path.write_bytes(b"line\n" * 100_000)
    with pytest.raises(InputError, match=r"^Reading log was stopped; nothing was sent\.$"):
        read_source(path, "log", stopped=lambda: True)


def open_files() -> int:
    """How many files this process has open; 0 on systems that do not say."""
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.exists() else 0


def test_no_file_stays_open(tmp_path: Path) -> None:
    """Every file is closed, also one that is refused."""
    before = open_files()
    (tmp_path / "a").write_bytes(b"\0")
    for path in (tmp_path / "a", pipe(tmp_path), sparse(tmp_path), tmp_path):
        why_not(path)
    assert open_files() == before


class Runs:
    """What would run if a pickle of it were read."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return pytest.fail, ("a pickle was read",)


BINARY = {
    "pickle": (pickle.dumps(Runs()), "it is a pickle, and reading one runs code; attach the value itself"),
    "old pickle": (pickle.dumps(Runs(), 2), "it is a pickle"),
    "gzip": (b"\x1f\x8b\x08\0data", "it is compressed with gzip; unpack it first"),
    "mp3": (b"ID3\4\0\0\0data", "it is MP3 sound; convert it to WAV"),
    "numpy": (b"\x93NUMPY\1\0data", "attach what `numpy.load` returns"),
    "database": (b"SQLite format 3\0data", "it is a database"),
    "film": (b"\0\0\0\x20ftypisom", "it is a film"),
    "program": (
        b"\x7fELF\2\1\1\0data",
        "it is binary data of an unknown kind; images, tables, text, PDF, Word and WAV can",
    ),
    "utf-16 without a mark": ("text".encode("utf-16-le"), "it is binary data"),
    "zeros": (b"\0" * 100, "it is binary data"),
    "noise": (bytes(range(1, 256)), "it is binary data"),
    "text and then zeros": (b"text " * 20_000 + b"\0", "it is binary data"),
}


@pytest.mark.parametrize(("data", "why"), BINARY.values(), ids=list(BINARY))
def test_binary_data_is_refused(data: bytes, why: str) -> None:
    """What is neither listed nor text is refused, with what to do; a pickle is never read."""
    assert why in why_not(data)


@pytest.mark.parametrize("name", ["", "a\nb\x1b[31m", "x" * 500])
def test_a_name_is_one_short_line(name: str) -> None:
    """Whatever a source is called, its name is shown on one line."""
    with pytest.raises(InputError) as caught:
        read_source(b"\0", name)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 300
    shown = read_source("text", name).name
    assert shown.isprintable()
    assert 0 < len(shown) <= 120
