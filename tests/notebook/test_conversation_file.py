"""Saving and opening conversations: three layouts, files by others, and everything that can be wrong with a file."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import pytest

from ollama_magic.errors import InputError, StoreError
from ollama_magic.notebook import text_files
from ollama_magic.notebook.conversation_file import open_conversation, save_conversation
from ollama_magic.turns.attachment import Attachment
from ollama_magic.turns.turn_messages import messages_of
from tests.notebook.samples import answer, cell, every_turn, notebook, read_cell
from tests.turns import a_turn

if TYPE_CHECKING:
    from ollama_magic.turns.turn_value import Turn

TURN = a_turn("why?", "because", model="gemma3:1b")


def opened(path: Path, content: object) -> list[Turn]:
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf8")
    return list(open_conversation(path, read_cell).turns)


def refused(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        open_conversation(path, read_cell)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", ["a.json", "b.JSON"])
def test_save_and_open(tmp_path: Path, name: str) -> None:
    """What was saved is opened as it was, and saved again byte for byte."""
    path = save_conversation(tmp_path / name, every_turn())
    turns = open_conversation(path, read_cell).turns
    assert [(t.prompt, t.text, t.thinking, t.settings.system, t.state, t.at) for t in turns] == [
        (t.prompt, t.text, t.thinking, t.settings.system, t.state, t.at) for t in every_turn()
    ]
    again = save_conversation(tmp_path / f"again-{name}", turns)
    assert again.read_bytes() == path.read_bytes()


def test_json_is_in_the_shape_of_ollamas_messages(tmp_path: Path) -> None:
    """The messages of a JSON file can be sent as they stand; times and digests stand beside them."""
    turns = [
        a_turn("a", "b", model="m", system="s", at=1.7e9, digest="sha256:1", stats={"answer_tokens": 3}),
        a_turn("c", "d", "stopped", thinking="hm", system="s", seconds=2.0),
    ]
    body = json.loads(save_conversation(tmp_path / "a.json", turns).read_text(encoding="utf8"))
    assert body["messages"] == [
        {"role": "system", "content": "s"},
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "b"},
        {"role": "user", "content": "c"},
        {"role": "assistant", "content": "d", "thinking": "hm"},
    ]
    assert body["turns"][0] == {
        "prompt": 1, "answer": 2, "system": 0, "conversation": "main", "model": "m", "digest": "sha256:1",
        "state": "complete", "at": "2023-11-14T22:13:20+00:00", "stats": {"answer_tokens": 3},
    }  # fmt: skip
    assert list(open_conversation(tmp_path / "a.json", read_cell).turns) == turns


# fmt: off
BY_OTHERS: dict[str, tuple[Any, list[tuple[str, str, str]]]] = {
    "a bare list": ([{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}], [("a", "b", "")]),
    "a curl body": (
        {"model": "m", "format": "json", "stream": False, "messages": [
            {"role": "system", "content": "s"}, {"role": "user", "content": "a"},
            {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}]}, [("a", "b", "s")]),
    "ollama-python": (
        [{"role": "user", "content": "a", "thinking": None, "images": None, "tool_calls": None},
         {"role": "assistant", "content": "", "tool_calls": [{"function": {}}]}, {"role": "tool", "content": "x"},
         {"role": "assistant", "content": "b", "thinking": "hm"}], [("a", "b", "")]),
    "parts of content": (
        [{"role": "developer", "content": [{"type": "text", "text": "s"}]},
         {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {}}]},
         {"role": "assistant", "content": "b"}], [("a", "b", "s")]),
    "two prompts, a greeting": (
        [{"role": "assistant", "content": "hi"}, {"role": "user", "content": "a"}, {"role": "user", "content": "b"},
         {"role": "assistant", "content": "c"}], [("", "hi", ""), ("a\n\nb", "c", "")]),
    "ours, edited by hand": (
        {"format": "ollama_magic 1", "turns": [{"prompt": 0, "answer": 9}], "messages": [
            {"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}, [("a", "b", "")]),
    "strange values": (
        [{"role": 3, "content": 4}, {"role": "USER", "content": "a\ud800"}, {"role": "assistant", "content": None},
         {}], [("a\ufffd", "", "")]),
}
# fmt: on


@pytest.mark.parametrize("case", BY_OTHERS)
def test_files_by_others(tmp_path: Path, case: str) -> None:
    """Messages that others wrote are read as turns, as far as they are text."""
    content, turns = BY_OTHERS[case]
    assert [(turn.prompt, turn.text, turn.settings.system) for turn in opened(tmp_path / "a.json", content)] == turns


def test_what_was_left_out_is_told(tmp_path: Path) -> None:
    """What is no text, or has no answer, is named."""
    content, _ = BY_OTHERS["a curl body"]
    opened(tmp_path / "a.json", content)
    assert open_conversation(tmp_path / "a.json", read_cell).notes == (
        "left out: the last prompt, which has no answer",
    )
    opened(tmp_path / "b.json", BY_OTHERS["ollama-python"][0])
    assert open_conversation(tmp_path / "b.json", read_cell).notes == ("left out: tools or images in 2 messages",)


def test_strange_facts_are_left_out(tmp_path: Path) -> None:
    """Facts that make no sense cost the facts, never the turn."""
    body = json.loads(save_conversation(tmp_path / "a.json", [TURN]).read_text(encoding="utf8"))
    row = {
        "at": "yesterday",
        "seconds": float("nan"),
        "state": "running",
        "stats": {"load_ns": -1, "total_ns": "x", "answer_tokens": 2, "c": 3},
    }
    body["turns"][0] |= row | {"model": ["m"], "digest": 5, "error": "\x1b[31mx", "conversation": None}
    (turn,) = opened(tmp_path / "b.json", body)
    assert turn == a_turn("why?", "because", "cut", error="x", stats={"answer_tokens": 2})


def test_what_no_json_can_hold_is_left_out(tmp_path: Path) -> None:
    """NaN, a format without an end and a tool without a function do not keep the turn from being saved again."""
    endless: dict[str, Any] = {}
    for _ in range(500):
        endless = {"items": endless}
    path = save_conversation(tmp_path / "a.json", [a_turn("why?", "because")])
    body = json.loads(path.read_text())
    infinite = {"type": "function", "function": {"name": "f", "parameters": {"maximum": float("inf")}}}
    body["turns"][0] |= {
        "options": {"temperature": float("nan"), "top_p": float("inf"), "seed": 7, "stop": endless},
        "format": endless,
        "keep_alive": float("nan"),
        "tools": [{"type": "function"}, infinite],
    }
    (turn,) = opened(tmp_path / "b.json", body)
    assert (turn.settings.options, turn.settings.format, turn.settings.keep_alive) == ({"seed": 7}, None, None)
    assert turn.settings.tools == ()
    assert open_conversation(save_conversation(tmp_path / "c.json", [turn]), read_cell).turns == (turn,)


def test_settings_that_no_json_has_are_left_out(tmp_path: Path) -> None:
    """NaN and half a character, which Python writes into a file, do not stay for the next file that is saved."""
    body = json.loads(save_conversation(tmp_path / "a.json", [TURN]).read_text(encoding="utf8"))
    body["turns"][0] |= {
        "options": {"temperature": float("nan"), "top_k": 4, "stop": ["\ud83d"]},
        "format": {"minimum": float("inf")},
        "tools": [{"function": {"name": "\ud83d"}}, {"default": float("nan")}],
        "think": "\ud83d",
        "keep_alive": float("nan"),
    }
    (turn,) = opened(tmp_path / "b.json", body)
    settings = turn.settings
    assert settings.options == {"top_k": 4, "stop": ["\ufffd"]}
    assert settings.tools == ({"function": {"name": "\ufffd"}},)
    assert (settings.format, settings.think, settings.keep_alive) == (None, "\ufffd", None)
    assert open_conversation(save_conversation(tmp_path / "c.json", [turn]), read_cell).turns == (turn,)


def test_the_content_tells_the_kind(tmp_path: Path) -> None:
    """A file is known by what is in it, whatever its name ends with."""
    saved = save_conversation(tmp_path / "a.json", [TURN]).read_text(encoding="utf8")
    assert opened(tmp_path / "a.txt", saved) == [TURN]
    (turn,) = opened(tmp_path / "b.txt", notebook(cell("%%chat\nq", answer("a", "1"))))
    assert turn.text == "a"


def test_a_saved_notebook_is_valid(tmp_path: Path) -> None:
    """A conversation saved as a notebook is one for Jupyter too."""
    path = save_conversation(tmp_path / "a.ipynb", [a_turn("{{x}}", "b", conversation="a b"), TURN])
    found = nbformat.read(path, as_version=4)
    nbformat.validate(found)
    assert found.cells[1].source == "%%chat -c 'a b' --verbatim\n{{x}}"
    assert [turn.text for turn in open_conversation(path, read_cell).turns] == ["b", "because"]


def test_nothing_is_overwritten_without_force(tmp_path: Path) -> None:
    """A file that exists stays; with force it is replaced whole, keeps its permissions, and links stay links."""
    path = tmp_path / "a.json"
    path.write_text("mine", encoding="utf8")
    path.chmod(0o640)
    with pytest.raises(InputError, match="--force"):
        save_conversation(path, [TURN])
    assert path.read_text(encoding="utf8") == "mine"
    link = tmp_path / "link.json"
    link.symlink_to(path)
    save_conversation(link, [TURN], force=True)
    assert link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o640
    assert list(open_conversation(path, read_cell).turns) == [TURN]
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.json", "link.json"]


def test_a_file_that_comes_late_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that another made while ours was being written is not overwritten."""
    path = tmp_path / "a.json"
    monkeypatch.setattr(os, "fsync", lambda _: path.write_text("theirs", encoding="utf8"))
    with pytest.raises(InputError, match="exists"):
        save_conversation(path, [TURN])
    assert path.read_text(encoding="utf8") == "theirs"
    assert [one.name for one in tmp_path.iterdir()] == ["a.json"]


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If writing fails, the old file stays, and no half of a new one."""
    path = save_conversation(tmp_path / "a.md", [TURN])
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match="full; nothing was saved"):
        save_conversation(path, [TURN, TURN], force=True)
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["a.md"]


def test_a_new_file_has_the_users_mode(tmp_path: Path) -> None:
    """A new file gets the permissions that the umask gives, as everything a user saves."""
    old = os.umask(0o027)
    try:
        path = save_conversation(tmp_path / "a.json", [TURN])
    finally:
        os.umask(old)
    assert path.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a.txt", "should end in .json, .md or .ipynb"),
        ("folder.json", "is a folder"),
        ("missing/a.json", "no folder"),
        ("a.json/b.json", "no folder"),
        ("a\0.json", "cannot be the name"),
        ("x" * 300 + ".json", "cannot be written"),
    ],
)
def test_where_nothing_can_be_saved(tmp_path: Path, name: str, said: str) -> None:
    """A name that cannot be written to is refused in one line, with or without force."""
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "a.json").touch()
    for force in (False, True):
        with pytest.raises((InputError, StoreError), match=said):
            save_conversation(tmp_path / name, [TURN], force=force)
    with pytest.raises(InputError, match="no turn to save"):
        save_conversation(tmp_path / "b.json", [])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is not a saved conversation"),
        (b"# My notes\n", "is not a saved conversation: .* not Markdown"),
        (b"\x80\x04\x95\x00\x00\x00\x00\x00\x00\x00\x8c\x02os\x94.", "not a text file"),
        (b"\x1f\x8b\x08\x00\x00", "not a text file"),
        ('["été"]'.encode("latin-1"), "not in UTF-8"),
        (b"\xff\xfe\x00", "not a text file|not in UTF-8"),
        (b'{"a": 1', "is not JSON"),
        (b'{"a": 1}', "no list of messages"),
        (b'["a"]', "no list of messages"),
        (b"[]", "contains no turn"),
        (b'[{"role": "user", "content": "a"}]', "contains no turn.*the last prompt"),
        (b'{"messages": [], "nbformat": 4, "cells": []}', "contains no turn"),
        (b"[" * 100_000, "nested too deeply|is not JSON"),
    ],
)
def test_what_cannot_be_opened(tmp_path: Path, content: bytes, said: str) -> None:
    """Each file that holds no conversation is refused in one line that says why."""
    import re

    path = tmp_path / "a.json"
    path.write_bytes(content)
    assert re.search(said, refused(path))


def test_places_where_no_file_is(tmp_path: Path) -> None:
    """A folder, a missing file, a pipe and a name that is none are told apart."""
    os.mkfifo(tmp_path / "pipe")
    assert "is a folder" in refused(tmp_path)
    assert "no file" in refused(tmp_path / "missing.json")
    assert "not a regular file" in refused(tmp_path / "pipe")
    assert "cannot be the name" in refused(tmp_path / "a\0b")


def test_permissions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that may not be read is told so."""

    def forbidden(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(text_files.os, "open", forbidden)
    assert "may not read" in refused(tmp_path / "a.json")
    with pytest.raises(InputError, match="may not write"):
        save_conversation(tmp_path / "a.json", [TURN])


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_byte_order_marks(tmp_path: Path, encoding: str) -> None:
    """A file with a byte order mark, as some editors and shells write it, is read."""
    path = save_conversation(tmp_path / "a.json", [TURN])
    path.write_bytes(path.read_text(encoding="utf8").encode(encoding))
    assert list(open_conversation(path, read_cell).turns) == [TURN]


FIXTURES = Path(__file__).parent / "fixtures"


@pytest.mark.parametrize("kind", ["json", "ipynb"])
def test_files_of_version_0_1_0_open_unchanged(kind: str) -> None:
    """What the version before the one turn value saved is opened whole."""
    opened = open_conversation(FIXTURES / f"saved_by_0_1_0.{kind}", read_cell)
    assert [(turn.prompt, turn.state, turn.model) for turn in opened.turns] == [
        ("Why is the sky blue?", "complete", "gemma3:1b"),
        ('{{df}} "quoted" — 中文', "stopped", "gemma3:1b"),
        ("And now?", "cut", "qwen3:4b"),
        ("Fail", "failed", "qwen3:4b"),
        ("json", "complete", "qwen3:4b"),
    ]
    first, *_, failed, _last = opened.turns
    assert first.text.startswith("**Rayleigh** scattering.")
    assert (first.settings.system, failed.conversation) == ("Be brief.", "drafts")
    assert failed.outcome.error == "The server failed: out of memory."
    if kind == "json":
        assert (first.thinking, first.at, first.outcome.seconds) == ("short <waves>", 1.7e9 + 0.125, 1.25)
        assert first.outcome.stats.answer_tokens == 3


def test_request_settings_travel(tmp_path: Path) -> None:
    """A JSON file has how each turn was asked: options, thinking, format, keep-alive, host."""
    asked = {
        "options": {"seed": 1},
        "think": False,
        "format": "json",
        "keep_alive": -1,
        "host": "http://h:1",
        "turns": 0,
    }
    turn = a_turn("why?", "{}", model="m", digest="sha256:1", **asked)
    path = save_conversation(tmp_path / "a.json", [turn])
    assert list(open_conversation(path, read_cell).turns) == [turn]


def test_what_did_not_travel_is_named(tmp_path: Path) -> None:
    """A notebook's own file has names and sizes: its turns come back without contents, and a note names them."""
    labels = [
        {"name": "fig.png", "kind": "image", "size": 9},
        {"name": "x", "kind": "video"},
        "nonsense",
        {"kind": "text"},
    ]
    path = tmp_path / "a.ipynb"
    path.write_text(
        json.dumps(notebook(cell("%%chat -a fig.png\nWhat?", answer("A square.", "c/1", attachments=labels))))
    )
    opened = open_conversation(path, read_cell)
    (attachment,) = opened.turns[0].attachments
    assert (attachment.name, attachment.kind, attachment.size, attachment.travelled) == ("fig.png", "image", 9, False)
    assert opened.notes == ("not in the file, and no longer sent: fig.png; attach what is needed again",)
    assert messages_of(opened.turns)[0].images == ()


def test_images_of_other_programs(tmp_path: Path) -> None:
    """Images in the messages of another program come along with their prompt; what is no base64 is left out."""
    path = tmp_path / "a.json"
    images = [base64.b64encode(b"\x89PNG one").decode(), "not base64!"]
    asked = {"role": "user", "content": "What?", "images": images}
    path.write_text(json.dumps([asked, {"role": "assistant", "content": "A square."}]))
    (turn,) = open_conversation(path, read_cell).turns
    assert [(one.name, one.media_type, one.data) for one in turn.attachments] == [
        ("image 1", "image/png", b"\x89PNG one")
    ]


def test_an_edited_file_keeps_its_images(tmp_path: Path) -> None:
    """A message that was edited by hand is read as it stands, with its images and without texts of its own."""
    picture = Attachment.of("fig.png", "image", "image/png", b"\x89PNG")
    text = Attachment.of("notes.md", "text", "text/markdown", b"Small.")
    path = save_conversation(tmp_path / "a.json", [a_turn("What?", "A square.", attachments=(picture, text))])
    assert open_conversation(path, read_cell).turns[0].attachments == (picture, text)
    body = json.loads(path.read_text())
    body["messages"][0]["content"] = "Which colour?"
    path.write_text(json.dumps(body))
    (turn,) = open_conversation(path, read_cell).turns
    assert (turn.prompt, turn.attachments, turn.attachments[0].data) == ("Which colour?", (picture,), picture.data)
