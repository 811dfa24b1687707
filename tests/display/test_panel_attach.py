"""What is attached in a panel: by its button or from the page, shown small, sent with the next prompt."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import pytest

from ollama_magic.line.loaded import loaded_magics
from ollama_magic.magics.page_comm import PageComm
from tests.answers import chats, words
from tests.display.test_panel import click, opened, page, settle, type_in
from tests.double.library.scripted_models import DEMO, VISION
from tests.magics.test_attach import images, png


@pytest.fixture
def server(demo_server, shell, monkeypatch):
    """A model that sees and one that does not, and the extension loaded in the shell."""
    server = demo_server(pace=0, models=(VISION, DEMO), answers=lambda _: words("I see."))
    monkeypatch.setenv("OLLAMA_HOST", server.url)
    shell.run_line_magic("load_ext", "ollama_magic")
    shell.run_line_magic("config", "OllamaMagic.model = 'demo-vision'")
    yield server
    shell.run_line_magic("unload_ext", "ollama_magic")


def choose(panel, name, content):
    """Choose a file as the page does."""
    moment = dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc)
    file = {"name": name, "type": "", "size": len(content), "content": memoryview(content), "last_modified": moment}
    panel.tray.button.value = (file,)
    settle(panel)


def messages(server):
    return chats(server)[-1].json["messages"]


def test_chosen_files_are_sent(shell, server, outputs):
    """Chosen files are shown small, sent with the next prompt and not with the one after it as new."""
    panel = opened(shell)
    choose(panel, "fig.png", png())
    choose(panel, "notes.txt", b"Small.")
    assert 'src="data:image/png;base64,' in page(panel.tray.box)
    assert "notes.txt" in page(panel.tray.box)
    assert panel.tray.button.value == ()
    type_in(panel, "What is this?")
    assert page(panel.tray.box) == ""
    (message,) = messages(server)
    assert (message["content"], images(message)) == ("What is this?\n\n```notes.txt\nSmall.\n```", [png()])
    assert 'src="data:image/png;base64,' in page(panel.turns.box)
    type_in(panel, "And now?")
    assert [len(images(one)) for one in messages(server)] == [1, 0, 0]


def test_asked_again_with_them(shell, server, outputs):
    """Asking again and editing send what went along, also where the model was refused before any text."""
    panel = opened(shell)
    choose(panel, "fig.png", png())
    loaded_magics().model = "demo"
    type_in(panel, "What is this?")
    assert not chats(server)
    assert "demo cannot see images" in page(panel.turns.box)
    loaded_magics().model = "demo-vision"
    click(panel, "Ask again", panel.turns.turns[0].root)
    assert images(messages(server)[-1]) == [png()]
    turn = panel.turns.turns[0]
    click(panel, "Edit", turn.root)
    type_in(panel, "In one word?", turn.root)
    assert (messages(server)[-1]["content"], images(messages(server)[-1])) == ("In one word?", [png()])


def test_a_prompt_that_cannot_be_sent(shell, server, outputs):
    """If a prompt is refused at once, the line says why, and what is attached goes along with the next one."""
    panel = opened(shell)
    choose(panel, "fig.png", png())
    conversation = loaded_magics().session.conversation()
    conversation.set_setting("tools", ["weather"])  # a function that has been deleted since
    type_in(panel, "What is this?")
    assert "weather" in panel.notice.text
    assert "fig.png" in page(panel.tray.box)
    conversation.set_setting("tools", None)
    type_in(panel, "What is this?")
    assert images(messages(server)[-1]) == [png()]
    assert page(panel.tray.box) == ""


def test_what_cannot_be_attached_in_a_panel(shell, server, outputs):
    """A file that cannot be attached is one line in the panel; *Remove* takes away what is attached."""
    panel = opened(shell)
    choose(panel, "data.pkl", b"\x80\x04\x95pickle\x00\x00")
    assert "data.pkl cannot be attached: it is a pickle" in panel.notice.text
    choose(panel, "fig.png", png())
    assert panel.notice.text == ""
    click(panel, "Remove")
    type_in(panel, "Hi")
    assert messages(server) == [{"role": "user", "content": "Hi"}]


def test_files_of_the_page(shell, server, outputs):
    """A file that the page passes on goes to its panel alone; one that is too large is named, with its size."""
    first, second = opened(shell), opened(shell)
    session = loaded_magics().session
    session.owned_resources |= {"one": first, "two": second}
    comm = PageComm(shell, session, lambda: "brief")
    comm._listening = True

    def drop(name, size, *buffers):
        file = {"panel": first.name, "name": name, "size": size, "mark": name}
        comm._receive("page", {"content": {"data": {"file": file}}, "buffers": list(buffers)})

    drop("fig.png", len(png()), memoryview(png())[:30])
    assert page(first.tray.box) == ""
    drop("fig.png", len(png()), memoryview(png())[30:])
    drop("film.mov", 900_000_000)
    assert "film.mov cannot be attached: it has 900 MB, and at most 64 MB are read." in first.notice.text
    assert ("fig.png" in page(first.tray.box), page(second.tray.box)) == (True, "")
    drop("a folder", 4096)
    drop("fig.png", len(png()), png())
    for line in ("film.mov cannot be attached", "a folder cannot be attached: it could not be read; of a folder,"):
        assert line in first.notice.text
    comm._receive("page", {"content": {"data": {"file": "nonsense"}}, "buffers": [SimpleNamespace()]})
    first.close()
    second.close()


def test_the_transcript_has_names_alone(shell, server, outputs):
    """What stays in the notebook names what went along, and holds no data of it."""
    panel = opened(shell)
    choose(panel, "fig.png", png(3, 200))
    type_in(panel, "What is this?")
    panel.close()
    last = [bundle for _, bundle, labels in outputs if labels.get("ollama_magic", {}).get("panel")][-1]
    assert "attached fig.png" in last["text/html"]
    assert "[attached fig.png]" in last["text/plain"]
    assert not any("base64" in bundle.get("text/html", "") for _, bundle, _ in outputs)
