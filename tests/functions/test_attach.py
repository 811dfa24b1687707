"""`attach=[…]` and ollama-python's `images`: what goes along with a prompt from Python."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import ollama
import pytest

import ollama_magic
from ollama_magic.errors import InputError
from tests.answers import chats
from tests.double import DEMO
from tests.double.library.scripted_models import VISION
from tests.magics.test_attach import png

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.double import ScriptedServer


@pytest.fixture
def server(start: Callable[..., ScriptedServer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ScriptedServer:
    """A model that sees, in a folder with a picture and a text."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fig.png").write_bytes(png())
    (tmp_path / "notes.md").write_text("A ```` fence.\n")
    return start(models=[VISION, DEMO], answers=lambda _: ["I see."])


@pytest.mark.parametrize("kind", ["path", "text path", "bytes", "base64", "ours"])
def test_images_are_sent_as_by_ollama_python(server: ScriptedServer, kind: str, tmp_path: Path) -> None:
    """A message with images reaches the server field by field as ollama-python sends it."""
    path = tmp_path / "fig.png"
    image: dict[str, Any] = {
        "path": path,
        "text path": "fig.png",
        "bytes": png(),
        "base64": base64.b64encode(png()).decode(),
        "ours": ollama.Image(value=path),
    }
    messages = [
        {"role": "user", "content": "What is this?", "images": [image[kind], image[kind]]},
        {"role": "assistant", "content": "A square."},
        {"role": "user", "content": "Which colour?"},
    ]
    client = ollama.Client(server.url)
    client.chat("demo-vision", messages, stream=True, options={"seed": 1}).__next__()
    client._client.close()
    ollama_magic.chat(messages, model="demo-vision", options={"seed": 1})
    theirs, ours = (dict(request.json) for request in chats(server))
    assert ours == {name: value for name, value in theirs.items() if name != "tools"}


def test_generate_sends_what_ollama_python_sends(server: ScriptedServer) -> None:
    """`generate` with a picture sends the same request as ollama-python's."""
    client = ollama.Client(server.url)
    next(iter(client.generate("demo-vision", "Describe it.", images=["fig.png"], stream=True)))
    client._client.close()
    ollama_magic.generate("Describe it.", model="demo-vision", attach="fig.png")
    theirs, ours = (dict(one.json) for one in server.requests if one.path == "/api/generate")
    assert ours == {name: value for name, value in theirs.items() if value not in ("", None)}


def test_attach_takes_paths_and_values(server: ScriptedServer) -> None:
    """Paths, patterns, bytes and texts go along in order; the reply's prompt is what was asked."""
    reply = ollama_magic.chat("Compare.", model="demo-vision", attach=["*.md", png(7), "fig.png", "one\ntwo"])
    (message,) = chats(server)[-1].json["messages"]
    assert message["content"].startswith("Compare.\n\n`````notes.md\nA ```` fence.\n`````\n\n```attachment 4\none\ntwo")
    assert [base64.b64decode(text) for text in message["images"]] == [png(7), png()]
    assert (reply.prompt, [one.kind for one in reply.attachments]) == ("Compare.", ["text", "image", "image", "text"])
    assert reply.request.messages[-1].images == (png(7), png())


@pytest.mark.parametrize(
    "several",
    [
        lambda folder: {folder / "notes.md"},
        lambda folder: folder.glob("*.md"),
        lambda folder: (path for path in folder.glob("*.md")),
        lambda folder: map(str, folder.glob("*.md")),
    ],
)
def test_paths_need_not_be_in_a_list(server: ScriptedServer, several: Any, tmp_path: Path) -> None:
    """A set, and what `Path.glob` returns, are as good: the files go along, not what Python calls a generator."""
    ollama_magic.chat("Hi", model="demo", attach=several(tmp_path))
    assert "A ```` fence." in chats(server)[-1].json["messages"][0]["content"]


def test_a_conversation_sends_them_again(server: ScriptedServer) -> None:
    """What went along with a turn goes along in the history of the next one."""
    conversation = ollama_magic.Conversation(model="demo-vision")
    conversation.chat("What is this?", attach="fig.png")
    conversation.chat("And now?")
    messages = chats(server)[-1].json["messages"]
    assert [len(one.get("images", ())) for one in messages] == [1, 0, 0]
    assert conversation.messages[0]["images"] == messages[0]["images"]


@pytest.mark.parametrize(
    ("attach", "said"),
    [
        ("https://example.org/x.png", "download it first"),
        ("nowhere.png", "There is no variable and no file nowhere.png"),
        ([png(n) for n in range(41)], "41 attachments are too many: at most 40"),
    ],
)
def test_what_cannot_be_attached(server: ScriptedServer, attach: object, said: str) -> None:
    """An address, a missing file and too many attachments are refused in one line; nothing is sent."""
    with pytest.raises(InputError, match=said):
        ollama_magic.chat("What is this?", model="demo-vision", attach=attach)
    assert not chats(server)


def test_a_model_that_does_not_see_is_refused(server: ScriptedServer) -> None:
    """A model without vision is refused before anything is sent, and one that sees is named."""
    with pytest.raises(InputError, match=r"demo cannot see images.*pick demo-vision"):
        ollama_magic.chat("What is this?", model="demo", attach="fig.png")
    assert not chats(server)


def test_a_request_that_is_too_large(server: ScriptedServer) -> None:
    """More than 64 MB in one request is refused with its size."""
    images = [bytes([n]) + bytes(16_000_000) for n in range(4)]
    with pytest.raises(InputError, match=r"85 MB .* at most 64 MB are sent"):
        ollama_magic.chat([{"role": "user", "content": "x", "images": images}], model="demo-vision")
    assert not chats(server)
