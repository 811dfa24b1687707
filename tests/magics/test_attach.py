"""`-a`, `--cells` and images in `{{…}}`: what goes along with a prompt, from a cell to the server and back."""

from __future__ import annotations

import base64
import json
import random
import struct
import zlib
from typing import TYPE_CHECKING, Any

import pytest

import ollama_magic
from ollama_magic.line.loaded import loaded_magics
from ollama_magic.magics.executed_cells import CELLS, DisplayedTexts, about_chat
from tests.answers import chats
from tests.double import ScriptedServer
from tests.double.library.scripted_models import DEMO, VISION
from tests.shells import run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def png(colour: int = 0, side: int = 8) -> bytes:
    """A small grey picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + bytes([colour]) * side) * side
    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """A model that sees, and one that does not."""
    with ScriptedServer(pace=0, models=(VISION, DEMO), answers=lambda _: ["I see."]) as server:
        yield server


@pytest.fixture
def seeing(shell: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A shell in a folder of its own, whose model sees."""
    monkeypatch.chdir(tmp_path)
    run(shell, "%config OllamaMagic.model = 'demo-vision'")
    return shell


def asked(server: ScriptedServer) -> list[dict[str, Any]]:
    """The messages of the newest turn."""
    messages: list[dict[str, Any]] = chats(server)[-1].json["messages"]
    return messages


def images(message: dict[str, Any]) -> list[bytes]:
    """What goes along beside the text of a message."""
    return [base64.b64decode(text, validate=True) for text in message.get("images", ())]


def test_a_picture_goes_along(seeing: Any, server: ScriptedServer, tmp_path: Path) -> None:
    """A PNG at a path with a space arrives byte for byte, the prompt as typed, and the line above says so."""
    (tmp_path / "my fig.png").write_bytes(png())
    shown, error = run(seeing, '%%chat -a "my fig.png"\nWhat is this?')
    assert error is None
    assert asked(server) == [{"role": "user", "content": "What is this?", "images": [base64.b64encode(png()).decode()]}]
    assert "attached my fig.png (image, " in shown


def test_a_source_in_braces_is_named_not_filled(seeing: Any, server: ScriptedServer) -> None:
    """`-a {{fig}}` attaches the variable, with `--verbatim` too, which fills in nothing."""
    seeing.user_ns["fig"] = png()
    for line in ("-a {{fig}} See {{fig}}", "--verbatim -a {{fig}} See {{fig}}"):
        _, error = run(seeing, f"%chat --once {line}")
        assert error is None
        assert len(images(asked(server)[-1])) == 1
    assert asked(server)[-1]["content"] == "See {{fig}}"


def test_the_history_sends_them_again(seeing: Any, server: ScriptedServer, tmp_path: Path) -> None:
    """Later turns send images, texts and tables again, in their order and in their messages."""
    (tmp_path / "one.png").write_bytes(png(1))
    (tmp_path / "two.txt").write_text("Two.")
    run(seeing, "%%chat -a one.png -a two.txt\nFirst?")
    seeing.user_ns["picture"] = png(3)
    run(seeing, "%%chat\nSecond, {{picture}} and {{picture}}?")
    run(seeing, "%chat Third?")
    run(seeing, "%chat -a one.png Fourth?")
    known = ollama_magic.last.sent
    assert known[0].images[0] is known[-1].images[0], "the same picture is in memory once"
    first, _, second, _, third, _, _ = asked(server)
    assert (first["content"], images(first)) == ("First?\n\n```two.txt\nTwo.\n```", [png(1)])
    assert second["content"] == "Second, [image 1: picture] and [image 1: picture]?"
    assert images(second) == [png(3)]
    assert third == {"role": "user", "content": "Third?"}


def test_fences_are_longer_than_any_inside(seeing: Any, server: ScriptedServer) -> None:
    """A text that holds fences stands in a longer one, labelled with its name on one line."""
    seeing.user_ns["notes"] = "```python\n1\n```\n`````\ninner\n`````"
    shown, _ = run(seeing, "%%chat -a notes\nWhat is this?")
    assert asked(server)[-1]["content"] == f"What is this?\n\n``````notes\n{seeing.user_ns['notes']}\n``````"
    assert "attached notes (text, 33 characters)" in shown


def test_a_figure_and_a_frame(seeing: Any, server: ScriptedServer) -> None:
    """A figure goes along as a picture and a frame as the table that a field is filled with."""
    plt, pd = pytest.importorskip("matplotlib.figure"), pytest.importorskip("pandas")
    figure = plt.Figure()
    figure.subplots().plot([1, 2])
    seeing.user_ns.update(fig=figure, df=pd.DataFrame({"a": [1, 2]}), plots={"by year": figure})
    shown, error = run(seeing, '%%chat -a df -a plots["by year"]\nDoes {{fig}} fit?')
    assert error is None
    (message,) = asked(server)
    assert message["content"].startswith("Does [image 1: fig] fit?\n\n```df\n| ")
    assert [data[:4] for data in images(message)] == [b"\x89PNG"] * 2
    assert "attached fig (image, " in shown
    assert "df (table, " in shown


def test_cells(seeing: Any, server: ScriptedServer) -> None:
    """`--cells` brings the code and the text outputs of the last cells, the newest last, without chat cells."""
    for cell in ("a = 20", "print('printed')\na + 1", "%%chat\nHi", "1 / 0"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(seeing, "showtraceback", lambda *_, **__: None)
            seeing.run_cell(cell, store_history=True)
    run(seeing, "%%chat --cells 2\nWhat went wrong?")
    content = asked(server)[-1]["content"]
    assert "20" not in content.replace("a + 1", "")
    first, second = content.index("a + 1"), content.index("1 / 0")
    assert first < content.index("\nprinted") < content.index("21") < second < content.index("ZeroDivisionError")
    run(seeing, "%%chat --cells\nAnd all of them?")
    assert "a = 20" in asked(server)[-1]["content"]
    assert "%%chat" not in asked(server)[-1]["content"]


@pytest.mark.parametrize(
    ("cell", "chats"),
    [
        ("%%time\n%%chat --once\nHi", True),
        ("%%capture said\n\n%%generate\nHi", True),
        ('kept["one"] = %chat --once Hi', True),
        ("\nanswer: object = %chat --once Hi", True),
        ("%%time\nrate = 3 % chat", False),
        ('note = "%chat Hi"', False),
        ("left = 7\nright = %chat --once Hi", False),
    ],
)
def test_a_chat_cell_is_known_by_how_it_begins(cell: str, chats: bool) -> None:
    """Timed, captured or assigned to anything, it is left out; a cell that begins with code is not."""
    assert about_chat(cell) == chats


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("-a https://example.org/a.png", "nothing is fetched; download it first"),
        ("-a nowhere.png", "There is no variable and no file nowhere.png"),
        ("-a .", "it is a folder"),
        ("-a os", "os is a module"),
        ("--cells", "no other cell has run yet"),
        ("--cells=0", "needs a number from 1"),
        ("-a ''", "needs a variable of the notebook or a file"),
        ("-a many*.txt", "matches more than 40 files"),
        ("-m demo -a fig.png", "demo cannot see images; leave the images out, or pick demo-vision"),
        ("-m demo -a sound.wav", "demo cannot hear sound; leave the sound out"),
    ],
)
def test_what_cannot_go_along(seeing: Any, server: ScriptedServer, tmp_path: Path, line: str, said: str) -> None:
    """What cannot be attached is refused in one line that says why; nothing is sent, and nothing remembered."""
    (tmp_path / "fig.png").write_bytes(png())
    (tmp_path / "sound.wav").write_bytes(b"RIFF\x24\0\0\0WAVEfmt " + bytes(28))
    for number in range(41):
        (tmp_path / f"many{number}.txt").write_text("x")
    run(seeing, "import os")
    _, error = run(seeing, f"%%chat {line}\nWhat is this?")
    assert said in str(error)
    assert not chats(server)
    assert not ollama_magic.Conversation.here().messages


def test_a_model_that_does_not_see_goes_on_without(seeing: Any, server: ScriptedServer, tmp_path: Path) -> None:
    """A model without vision answers later turns of a conversation with pictures; a note says what was left out."""
    (tmp_path / "fig.png").write_bytes(png())
    run(seeing, "%%chat -a fig.png\nWhat is this?")
    _, error = run(seeing, "%%chat -m demo\nAnd in one word?")
    assert error is None
    assert not any(message.get("images") for message in asked(server))
    assert ollama_magic.last.notes == ("1 image of earlier turns left out: demo cannot see",)


def test_generate_takes_attachments(seeing: Any, server: ScriptedServer, tmp_path: Path) -> None:
    """`%%generate` sends images beside its prompt, and texts in it."""
    (tmp_path / "fig.png").write_bytes(png())
    seeing.user_ns["notes"] = "Small."
    run(seeing, "%%generate -a fig.png -a notes\nDescribe it.")
    (body,) = (request.json for request in server.requests if request.path == "/api/generate")
    assert (body["prompt"], images(body)) == ("Describe it.\n\n```notes\nSmall.\n```", [png()])


def test_a_key_in_a_file_is_hidden(seeing: Any, server: ScriptedServer, tmp_path: Path, monkeypatch: Any) -> None:
    """A key that the session holds does not leave in an attached text."""
    monkeypatch.setenv("OLLAMA_API_KEY", "secret-key-1234567890")
    (tmp_path / ".env").write_text("KEY=secret-key-1234567890\n")
    run(seeing, "%%chat -a .env\nWhat is set?")
    assert "secret-key" not in json.dumps(asked(server))
    assert "KEY=" in asked(server)[-1]["content"]


def test_the_output_names_them(seeing: Any, tmp_path: Path) -> None:
    """The output holds names, kinds and sizes, and no data of the picture."""
    data = png(200, 64)
    (tmp_path / "fig.png").write_bytes(data)
    published: list[dict[str, Any]] = []
    run(seeing, "%config OllamaMagic.display = 'html'")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            seeing.display_pub, "publish", lambda data, metadata=None, **_: published.append([data, metadata])
        )
        seeing.run_cell("%%chat -a fig.png\nWhat is this?")
    labels = published[-1][1]["ollama_magic"]["attachments"]
    assert labels == [{"name": "fig.png", "kind": "image", "size": len(data)}]
    assert base64.b64encode(data).decode()[40:80] not in repr(published)


def test_an_unchanged_cell_is_reused(seeing: Any, server: ScriptedServer, tmp_path: Path) -> None:
    """With `rerun = "reuse"` a changed picture is asked about anew, an unchanged one is not."""
    run(seeing, "%config OllamaMagic.rerun = 'reuse'")
    (tmp_path / "fig.png").write_bytes(png())
    again = "%%chat -a fig.png\nWhat is this?"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ollama_magic.line.cell.request_of", lambda _: request)
        for execution, count in (("1", 1), ("2", 1), ("3", 2)):
            from ollama_magic.display.host import Request

            request = Request("cell-1", execution)
            if execution == "3":
                (tmp_path / "fig.png").write_bytes(png(9))
            run(seeing, again)
            assert len(chats(server)) == count


@pytest.mark.parametrize("name", ["saved.json", "saved.ipynb"])
def test_saved_whole(seeing: Any, server: ScriptedServer, tmp_path: Path, name: str) -> None:
    """A conversation that was saved and opened sends the same messages, images and texts included."""
    (tmp_path / "fig.png").write_bytes(png())
    (tmp_path / "notes.txt").write_text("Small.")
    run(seeing, "%%chat -a fig.png -a notes.txt\nWhat is this?")
    run(seeing, f"%ollama save {name}")
    run(seeing, "%chat And now?")
    sent = asked(server)
    run(seeing, "%ollama clear")
    _, error = run(seeing, f"%ollama open {name}")
    assert error is None
    run(seeing, "%chat And now?")
    assert asked(server) == sent
    run(seeing, "%ollama save again.md")
    assert "*Attached: fig.png (image), notes.txt (text)*" in (tmp_path / "again.md").read_text()


def test_history_and_prompt_name_them(seeing: Any, tmp_path: Path) -> None:
    """`history` names what went along; `prompt` shows texts, and says what stands beside them."""
    (tmp_path / "fig.png").write_bytes(png())
    (tmp_path / "notes.txt").write_text("Small.")
    run(seeing, "%%chat -a fig.png -a notes.txt\nWhat is this?")
    shown, _ = run(seeing, "%ollama history")
    assert "attached fig.png, notes.txt" in shown
    shown, _ = run(seeing, "%ollama prompt")
    assert "Small." in shown
    assert f"beside the text of message 1: 1 image, {len(png())} B" in shown


def test_the_window_counts_them(seeing: Any, server: ScriptedServer) -> None:
    """The line before the answer says that an attached text will not fit the window."""
    seeing.user_ns["long"] = "word " * 6000
    shown, _ = run(seeing, "%%chat -o num_ctx=2048 -a long\nWhat is this?")
    assert "of 2,048 tokens: the server will cut the prompt" in shown
    assert "attached long (text, 30,000 characters" in shown


def test_reading_a_file_can_be_stopped(seeing: Any, server: ScriptedServer, monkeypatch: Any, tmp_path: Path) -> None:
    """■ while a disk does not answer ends the cell at once; nothing is sent."""
    import threading

    reading, go_on = threading.Event(), threading.Event()

    def slow(*_: object) -> bytes:
        reading.set()
        go_on.wait(20)
        return png()

    def interrupt() -> None:
        import os
        import signal

        reading.wait(20)
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr("ollama_magic.attachments.sources.read_file", slow)
    (tmp_path / "fig.png").write_bytes(png())
    threading.Thread(target=interrupt).start()
    _, error = run(seeing, "%%chat -a fig.png\nWhat is this?")
    go_on.set()
    assert "Stopped; nothing was sent." in str(error)
    assert not chats(server)


def test_line_reading(seeing: Any) -> None:
    """The magics' settings for attachments are traits, and a wrong value is refused."""
    magics = loaded_magics()
    assert (magics.image_side, magics.attach_chars) == (1536, 32_000)
    seeing.user_ns["long"] = "0123456789" * 10
    run(seeing, "%config OllamaMagic.attach_chars = 10")
    run(seeing, "%%chat -a long\nHi")
    assert "0123456789" in ollama_magic.last.sent[-1].content
    assert "of 100" in ollama_magic.last.sent[-1].content


@pytest.mark.parametrize("language", ["curl", "python", "java"])
def test_an_export_has_the_images(seeing: Any, server: ScriptedServer, tmp_path: Path, language: str) -> None:
    """An exported program has the images whole; its output is cut where they are long, and says how to get all."""
    (tmp_path / "fig.png").write_bytes(png())
    run(seeing, "%%chat -a fig.png\nWhat is this?")
    run(seeing, f"program = %ollama export {language}")
    assert asked(server)[-1]["images"][0] in seeing.user_ns["program"].replace('",\n        "', "")
    loaded_magics().image_side = 0
    (tmp_path / "long.png").write_bytes(png() + random.Random(1).randbytes(90_000))
    run(seeing, "%%chat --turns 0 -a long.png\nAnd this?")
    shown, _ = run(seeing, f"%ollama export {language}")
    assert len(shown) < 20_000
    assert f"`program = %ollama export {language}` has all of it" in shown


def test_displayed_texts_are_known() -> None:
    """What a kernel displays as text is remembered by cell, for a while; answers and updates are not."""
    from types import SimpleNamespace

    shell = SimpleNamespace(execution_count=1)
    displayed = DisplayedTexts(shell)

    def show(text: str, kind: str = "display_data", **metadata: object) -> None:
        content = {"data": {"text/plain": text}, "metadata": metadata}
        message = {"header": {"msg_type": kind}, "content": content}
        assert displayed._hear(message) is message

    show("a frame")
    show("an answer", ollama_magic={})
    show("an update", "update_display_data")
    assert displayed.of(1) == ["a frame"]
    for shell.execution_count in range(2, CELLS + 2):
        show("more")
    assert (displayed.of(1), displayed.of(2)) == ([], ["more"])
