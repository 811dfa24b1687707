"""Two hundred damages: wrong text is never returned as right, and the damaged file is only renamed."""

from __future__ import annotations

import random
import shutil
import sqlite3
from typing import TYPE_CHECKING

import pytest

from ollama_magic.errors import StoreError
from ollama_magic.store.store import NotebookRecord, Store

from .children import child
from .rows import WAIT_S, row, rows

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ollama_magic.store.store import Row

NOTEBOOKS = ("one", "two", "three")
COUNT = 30
PAGE = 4096


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A store that was closed, and one whose kernel was killed: its log holds the newer half."""
    folder = tmp_path_factory.mktemp("sound")
    store = Store(folder / "closed" / "store.sqlite")
    for notebook in NOTEBOOKS:
        store.append(notebook, rows(notebook, COUNT // 2)).result(WAIT_S)
        store.save_notebook(NotebookRecord(notebook, f"/{notebook}.ipynb", 1, 2, frozenset({notebook}), 3.0)).result(
            WAIT_S
        )
    store.close()
    store = Store(folder / "closed" / "store.sqlite")
    for notebook in NOTEBOOKS:
        store.append(notebook, rows(notebook, COUNT - COUNT // 2, COUNT // 2 + 1)).result(WAIT_S)
    shutil.copytree(folder / "closed", folder / "killed")
    store.close()
    assert (folder / "killed" / "store.sqlite-wal").stat().st_size > PAGE
    return {"closed": folder / "closed", "killed": folder / "killed"}


def flip_bits(data: bytearray, dice: random.Random) -> None:
    for _ in range(dice.choice((1, 1, 3, 20))):
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)


def truncate(data: bytearray, dice: random.Random) -> None:
    del data[dice.choice((0, 50, PAGE, dice.randrange(len(data)), len(data) - PAGE, len(data) - 1)) :]


def zero_pages(data: bytearray, dice: random.Random) -> None:
    for _ in range(dice.choice((1, 2))):
        start = dice.randrange(len(data) // PAGE) * PAGE
        data[start : start + PAGE] = bytes(PAGE)


def break_header(data: bytearray, dice: random.Random) -> None:
    for _ in range(dice.choice((1, 2, 100))):
        data[dice.randrange(100)] = dice.randrange(256)


def swap_pages(data: bytearray, dice: random.Random) -> None:
    one, other = (dice.randrange(len(data) // PAGE) * PAGE for _ in range(2))
    data[one : one + PAGE], data[other : other + PAGE] = data[other : other + PAGE], data[one : one + PAGE]


DAMAGES = (flip_bits, flip_bits, truncate, zero_pages, break_header, swap_pages)


@pytest.mark.parametrize("seed", range(200))
def test_wrong_text_is_never_right(seed: int, sound: dict[str, Path], tmp_path: Path) -> None:
    """Whatever happened to a file, what is read is the beginning of what was written, and new rows go on behind it."""
    dice = random.Random(seed)
    state = dice.choice(("closed", "closed", "killed"))
    folder = tmp_path / "store"
    shutil.copytree(sound[state], folder)
    log = state == "killed" and dice.random() < 0.5
    damaged = damage(folder / ("store.sqlite-wal" if log else "store.sqlite"), dice)

    store = Store(folder / "store.sqlite")
    known = {record.id: record for record in store.notebooks()}
    assert all(known[id_].path == f"/{id_}.ipynb" and known[id_].cells == {id_} for id_ in known)
    found = {notebook: store.rows(notebook) for notebook in NOTEBOOKS}
    for notebook, kept in found.items():
        assert kept == rows(notebook, len(kept))
    lost = any(len(kept) < COUNT for kept in found.values())
    assert store.problem or not lost or log or not damaged, "rows are missing, and nothing is said"

    saved = append_to_each(store, found)
    store.close()
    assert saved or store.problem
    if saved:
        again = Store(folder / "store.sqlite")
        assert {notebook: again.rows(notebook) for notebook in NOTEBOOKS} == {
            notebook: [*kept, row(notebook, len(kept) + 1)] for notebook, kept in found.items()
        }
    if not log and (store.problem or not saved):
        assert damaged in [path.read_bytes() for path in folder.glob("store*.sqlite")]


def damage(path: Path, dice: random.Random) -> bytes:
    data = bytearray(path.read_bytes())
    dice.choice(DAMAGES)(data, dice)
    path.write_bytes(data)
    return bytes(data)


def append_to_each(store: Store, found: dict[str, list[Row]]) -> bool:
    """Whether the rows that follow could be saved, in a new file those before them too; else they stay in memory."""
    store.on_replaced(lambda: [store.append(notebook, kept) for notebook, kept in found.items()] and None)
    futures = [store.append(notebook, [row(notebook, len(kept) + 1)]) for notebook, kept in found.items()]
    store.close()
    errors = [future.exception(WAIT_S) for future in futures]
    assert all(error is None for error in errors) or all(isinstance(error, StoreError) for error in errors)
    return not any(errors)


def changed(path: Path, *statements: str) -> Path:
    with sqlite3.connect(path) as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()
    return path


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE changes SET body = x'7b7d' WHERE counter = 3",
        "UPDATE changes SET counter = 900 WHERE counter = 3",
        "UPDATE changes SET conversation = x'61', kind = x'62' WHERE counter = 3",
        "UPDATE changes SET step = step + 1 WHERE counter = 3",
        "UPDATE changes SET body = 5 WHERE counter = 3",
        "UPDATE changes SET checksum = NULL WHERE counter = 3",
    ],
)
def test_every_column_is_checked(sound: dict[str, Path], tmp_path: Path, statement: str) -> None:
    """A change in any column ends what is trusted; a line names the file."""
    path = changed(shutil.copytree(sound["closed"], tmp_path / "store") / "store.sqlite", statement)
    store = Store(path)
    assert store.rows("one") == rows("one", 2)
    assert str(path) in store.problem
    assert "\n" not in store.problem


def test_swapped_rows_are_found(sound: dict[str, Path], tmp_path: Path) -> None:
    """Rows that changed places with another notebook's are not trusted, though each is whole."""
    path = changed(
        shutil.copytree(sound["closed"], tmp_path / "store") / "store.sqlite",
        "UPDATE changes SET notebook = x'00' WHERE notebook = x'6f6e65' AND counter = 5",
        "UPDATE changes SET notebook = x'6f6e65' WHERE notebook = x'74776f' AND counter = 5",
        "UPDATE changes SET notebook = x'74776f' WHERE notebook = x'00'",
    )
    store = Store(path)
    assert store.rows("one") == rows("one", 4)
    assert store.rows("two") == rows("two", 4)
    assert store.rows("three") == rows("three", COUNT)


def test_a_changed_record_is_left_out(sound: dict[str, Path], tmp_path: Path) -> None:
    """A notebook's record that is not what was told is left out: a wrong path would mix two notebooks."""
    path = changed(
        shutil.copytree(sound["closed"], tmp_path / "store") / "store.sqlite",
        "UPDATE notebooks SET path = x'2f74776f2e6970796e62' WHERE id = x'6f6e65'",
    )
    store = Store(path)
    assert {record.id for record in store.notebooks()} == {"two", "three"}
    assert store.problem


def aside(path: Path) -> Path:
    """The name that a damaged store gets."""
    return path.with_name("store.damaged-1.sqlite")


def test_a_damaged_store_is_renamed(sound: dict[str, Path], tmp_path: Path) -> None:
    """A damaged store is renamed at the next write and never touched again; a line names both, and a new one begins."""
    path = changed(
        shutil.copytree(sound["closed"], tmp_path / "store") / "store.sqlite",
        "UPDATE changes SET step = step + 1 WHERE counter = 9",
    )
    before = path.read_bytes()
    store = Store(path)
    assert store.rows("one") == rows("one", 8)
    assert path.read_bytes() == before
    store.append("one", [row("one", 9)]).result(WAIT_S)
    assert str(path) in store.problem
    assert str(aside(path)) in store.problem
    store.close()
    later = Store(path)
    assert later.rows("one") == [row("one", 9)]
    assert later.problem == ""
    assert aside(path).read_bytes() == before


def test_what_is_known_is_saved_again(sound: dict[str, Path], tmp_path: Path) -> None:
    """Whoever read or wrote a store that was renamed, by whomever, hears of it and can save what it knows."""
    path = shutil.copytree(sound["closed"], tmp_path / "store") / "store.sqlite"
    writer, reader, finder = Store(path), Store(path), Store(path)
    for store, name in ((writer, "four"), (reader, "one")):
        store.on_replaced(lambda store=store, name=name: store.append(name, rows(name, 3)))
    writer.append("four", rows("four", 3)).result(WAIT_S)
    assert reader.rows("one") == rows("one", COUNT)
    finder._file.found_damaged(path)
    finder.append("two", [row("two", 1)]).result(WAIT_S)
    for store, name in ((writer, "four"), (reader, "one")):
        store.append(name, [row(name, 4)]).result(WAIT_S)
        store.close()
    finder.close()
    assert [Store(path).rows(name) for name in ("one", "two", "four")] == [
        rows("one", 4),
        rows("two", 1),
        rows("four", 4),
    ]
    assert len(list(path.parent.glob("*damaged*.sqlite"))) == 1


def test_a_store_is_renamed_once(sound: dict[str, Path], tmp_path: Path) -> None:
    """Of several kernels that find the same damage one renames the file; the others write to the new one."""
    path = changed(
        shutil.copytree(sound["closed"], tmp_path / "store") / "store.sqlite",
        "UPDATE changes SET step = step + 1 WHERE counter = 9",
    )
    stores = {notebook: Store(path) for notebook in NOTEBOOKS}
    for notebook, store in stores.items():
        assert store.rows(notebook) == rows(notebook, 8)
    waiting = [store.append(notebook, [row(notebook, 9)]) for notebook, store in stores.items()]
    for future in waiting:
        future.result(WAIT_S)
    for store in stores.values():
        store.close()
    assert [Store(path).rows(notebook) for notebook in NOTEBOOKS] == [[row(notebook, 9)] for notebook in NOTEBOOKS]
    assert [found.name for found in path.parent.glob("*damaged*.sqlite")] == [aside(path).name]


@pytest.mark.parametrize("wreck", [lambda path: path.unlink(), lambda path: shutil.rmtree(path.parent)])
def test_a_deleted_store_is_made_anew(tmp_path: Path, wreck: Callable[[Path], object]) -> None:
    """A store that somebody deletes under a running kernel is made anew, for what is said from then on."""
    path = tmp_path / "folder" / "store.sqlite"
    store = Store(path)
    store.append("n", rows("n", 2)).result(WAIT_S)
    wreck(path)
    store.append("n", [row("n", 3)]).result(WAIT_S)
    store.close()
    assert Store(path).rows("n") == [row("n", 3)]


@pytest.mark.parametrize("ending", ["append", "close"])
def test_who_still_has_the_old_file_harms_no_new_one(tmp_path: Path, ending: str) -> None:
    """A kernel that had the damaged store open goes over, or ends, and takes nothing from the new one's log."""
    path = tmp_path / "store.sqlite"
    with child("holds", path, ending):
        finder = Store(path)
        assert finder.rows("n") == rows("n", 1)
        finder._found_damaged(path)
        finder.append("one", rows("one", 1)).result(WAIT_S)
        log = path.with_name("store.sqlite-wal").stat().st_ino
    assert path.with_name("store.sqlite-wal").stat().st_ino == log
    finder.append("one", [row("one", 2)]).result(WAIT_S)
    assert Store(path).rows("one") == rows("one", 2)
    assert Store(path).rows("n") == ([row("n", 2)] if ending == "append" else [])
    finder.close()
    assert Store(path).rows("one") == rows("one", 2)
