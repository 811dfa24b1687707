"""What a name on a line stands for: a variable first, else files."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from ollama_magic.attachments.source_names import expand
from ollama_magic.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

VARIABLES = {
    "fig": object(),
    "plots": [1, 2],
    "day": SimpleNamespace(csv="of the notebook"),
    "os": os,
    "sizes": {"width": 3},
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with some files, which is the current one and the home."""
    for name in ("fig", "b.png", "a.png", "notes.txt", "odd[1].txt", "day.csv", "sub/deep.png", "with space.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("name", "value"),
    [("fig", VARIABLES["fig"]), ("plots[1]", 2), ("day.csv", "of the notebook"), (" fig ", VARIABLES["fig"])],
)
def test_a_variable_wins(name: str, value: object) -> None:
    """A variable, by its dotted path, wins over a file of that name."""
    assert expand(name, VARIABLES) == [(name.strip(), value)]


@pytest.mark.parametrize("name", ["notes.txt", "./fig", "odd[1].txt", "with space.txt", "sub/deep.png", "sub"])
def test_a_path(name: str) -> None:
    """A path is a path, also with characters of a pattern in it."""
    assert expand(name, VARIABLES) == [(name, Path(name))]


def test_a_list_of_images_or_paths_stands_for_each() -> None:
    """A list of images, or of paths, stands for its items; any other list is one source."""
    red = Image.new("L", (2, 2))
    variables = {"images": [red, red], "paths": (Path("a.png"), Path("b.png")), "words": ["a", "b"], "none": []}
    assert expand("images", variables) == [("images[0]", red), ("images[1]", red)]
    assert expand("paths", variables) == [("paths[0]", Path("a.png")), ("paths[1]", Path("b.png"))]
    assert expand("words", variables) == [("words", ["a", "b"])]
    assert expand("none", variables) == [("none", [])]
    with pytest.raises(InputError, match=r"^many has 41 items; name at most 40 of them\.$"):
        expand("many", {"many": [red] * 41})


def test_a_path_below_the_home(folder: Path) -> None:
    """`~` is the home, whose place stays out of the name."""
    assert expand("~/notes.txt", {}) == [("~/notes.txt", folder / "notes.txt")]
    assert expand("~/*.txt", {})[0] == ("~/notes.txt", folder / "notes.txt")


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("*.png", ["a.png", "b.png"]),
        ("**/*.png", ["a.png", "b.png", "sub/deep.png"]),
        ("[ab].png", ["a.png", "b.png"]),
        ("?.png", ["a.png", "b.png"]),
        ("su*", None),
        ("*.gif", None),
    ],
)
def test_a_pattern(pattern: str, names: list[str] | None) -> None:
    """A pattern stands for the files that match it, sorted, without folders; for none it is refused."""
    if names is None:
        with pytest.raises(InputError, match=r"^No file matches .+; check its folder and name\.$"):
            expand(pattern, VARIABLES)
    else:
        assert expand(pattern, VARIABLES) == [(name, Path(name)) for name in names]


def test_a_pattern_of_too_many_files(folder: Path) -> None:
    """A pattern that matches more files than a turn may have is refused."""
    for number in range(41):
        (folder / f"{number}.dat").write_text("")
    with pytest.raises(InputError, match=r"^\*\.dat matches more than 40 files; name fewer of them\.$"):
        expand("*.dat", {})


@pytest.mark.parametrize(
    "name", ["https://example.org/a.png", "HTTP://x", "ftp://x/y", "s3://bucket/key", "file:///etc/hosts", "data:,x"]
)
def test_nothing_is_fetched(name: str) -> None:
    """A URL is refused, and the line says what to do."""
    with pytest.raises(InputError, match=r"is an address, and nothing is fetched; download it first\.$"):
        expand(name, VARIABLES)


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("note.txt", r"There is no file note\.txt; nearest: notes\.txt\."),
        ("sub/deeq.png", r"There is no file sub/deeq\.png; nearest: sub/deep\.png\."),
        ("plotz", r"There is no variable and no file plotz: no such variable; nearest: plots\."),
        ("none/x.png", r"There is no variable and no file none/x\.png; check its name and folder\."),
        ("os.environ", r"There is no variable and no file os\.environ: the environment is never filled in\."),
        ("os", r"There is no variable and no file os: os is a module\."),
        ("f()", r"There is no variable and no file f\(\); check its name and folder\."),
        ("~nobody-of-that-name/x", r"There is no variable and no file ~nobody-of-that-name/x; [^\n]+\."),
        ("a\0b", r"[^\n]+\."),
        ("a\0b/c", r"There is no variable and no file ab/c; check its name and folder\."),
        ("\ud800/c", r"There is no variable and no file �/c; check its name and folder\."),
        ("plots[7]", r"There is no variable and no file plots\[7\]: plots has no 7\."),
        ("sizes['wide']", r"There is no variable and no file sizes\['wide'\]: sizes has no 'wide'; nearest: width\."),
        ("a\nb\x1b[31m", r"[^\n]+\."),
        ("", r"Nothing is named to attach; name a variable or a file\."),
    ],
)
def test_a_name_that_stands_for_nothing(name: str, line: str) -> None:
    """A name that is neither a variable nor a file is refused in one line, with the nearest."""
    with pytest.raises(InputError, match=rf"^{line}$"):
        expand(name, VARIABLES)


class Failing(dict[str, int]):
    """A mapping whose own code fails wherever it is asked."""

    def __iter__(self) -> Iterator[str]:
        raise RuntimeError

    def __dir__(self) -> list[str]:
        raise RuntimeError

    @property
    def size(self) -> int:
        raise SystemExit(3)


class Masked:
    """An object that fails to say what it is."""

    @property
    def __class__(self) -> Any:
        raise RuntimeError


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("failing['x']", "failing has no 'x'"),
        ("failing.x", "failing has no x"),
        ("failing.size", "looking at it fails with SystemExit"),
        ("masked", "looking at it fails with RuntimeError"),
    ],
)
def test_an_object_that_raises_when_it_is_looked_at(name: str, why: str) -> None:
    """It is one line, whatever the object's own code does."""
    with pytest.raises(InputError, match=rf"^[^\n]*: {why}\.$"):
        expand(name, {"failing": Failing(), "masked": Masked()})
