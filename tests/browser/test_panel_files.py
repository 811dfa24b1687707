"""Files in a panel of a real JupyterLab: dropped, pasted and chosen."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest

from tests.answers import chats, words
from tests.browser.lab import KERNEL_JS, THEMES, WEAR
from tests.browser.test_panel import PANEL, opened
from tests.double.library.scripted_models import VISION
from tests.magics.test_attach import images

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.browser.lab import NotebookPage
    from tests.double import ScriptedServer

# Dispatch what a browser dispatches when a picture is dropped, or pasted, on the box.
EVENT = """([kind, name, text, part]) => {
    const bytes = Uint8Array.from(atob(text), one => one.charCodeAt(0));
    const data = new DataTransfer();
    data.items.add(new File([bytes], name, { type: 'image/png' }));
    const more = kind === 'paste' ? { clipboardData: data } : { dataTransfer: data };
    const made = kind === 'paste' ? new ClipboardEvent(kind, { bubbles: true, cancelable: true, ...more })
        : new DragEvent(kind, { bubbles: true, cancelable: true, ...more });
    document.querySelector(part).dispatchEvent(made); return made.defaultPrevented; }"""
BOX = ".ollama-magic-panel .ollama-magic-draft textarea"


def picture(colour: str) -> bytes:
    """A picture of three bars, as people have them."""
    drawing = pytest.importorskip("PIL.Image").new("RGB", (320, 200), "white")
    for place, height in enumerate((60, 150, 100)):
        drawing.paste(colour, (30 + 90 * place, 190 - height, 90 + 90 * place, 190))
    from io import BytesIO

    data = BytesIO()
    drawing.save(data, "PNG")
    return data.getvalue()


def pictures(page: NotebookPage, shots: Path, name: str) -> None:
    """Pictures in both themes, for people to look at."""
    page.page.mouse.move(5, 5)
    for dark in (True, False):
        page.page.evaluate(WEAR, THEMES[dark])
        page.page.wait_for_selector("#jupyterlab-splash", state="detached")
        page.shot(shots, f"{name}-{'dark' if dark else 'light'}")


def test_a_dropped_picture_is_sent(
    demo_server: Callable[..., ScriptedServer],
    notebook: Callable[..., NotebookPage],
    shots: Path,
    tmp_path: Path,
) -> None:
    """A picture that is dropped, one that is pasted and a large text that is chosen go along with the next prompt."""
    server = demo_server(pace=0, models=(VISION,), answers=lambda _: words("Three bars, the middle one is highest."))
    page = notebook(server, PANEL, size=(1000, 800))
    panel = opened(page, 1)
    sent = {"bars.png": picture("#1976d2"), "pasted.png": picture("#d32f2f")}

    def event(kind: str, name: str) -> Any:
        text = base64.b64encode(sent[name]).decode()
        return page.page.evaluate(EVENT, [kind, name, text, BOX])

    assert event("drop", "bars.png")
    panel.wait("bars.png")
    assert event("paste", "pasted.png")
    panel.wait("pasted.png")
    (tmp_path / "notes.txt").write_text("Rain in three cities. " + " " * 11_000_000)
    with page.page.expect_file_chooser() as chooser:
        panel.root.locator("button.ollama-magic-attach").click()
    chooser.value.set_files(tmp_path / "notes.txt")
    panel.wait("notes.txt")
    pictures(page, shots, "panel-attached")
    panel.ask("What do they show?")
    panel.wait("Three bars")
    (message,) = chats(server)[-1].json["messages"]
    assert images(message) == list(sent.values())
    assert message["content"].startswith("What do they show?\n\n```notes.txt\nRain in three cities.")
    pictures(page, shots, "panel-sent")
    assert panel.root.locator(".ollama-magic-said img").count() == 0
    assert panel.root.locator(".ollama-magic-bubble img").count() == 2
    assert page.errors == []


def drop(page: NotebookPage, *paths: Path) -> None:
    """Drop files or folders on the box, as a file manager does."""
    box = page.page.locator(BOX).last.bounding_box()
    assert box is not None
    mouse = page.context.new_cdp_session(page.page)
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        mouse.send("Input.dispatchDragEvent", {"type": kind, "x": box["x"] + 9, "y": box["y"] + 9, "data": data})


def test_dropped_while_a_cell_blocks(
    demo_server: Callable[..., ScriptedServer], notebook: Callable[..., NotebookPage], tmp_path: Path
) -> None:
    """What is dropped while a cell blocks goes along at once; a folder is refused in a line that stays."""
    server = demo_server(pace=0, answers=lambda _: words("As you say."))
    page = notebook(server, PANEL, "import time\nfor _ in range(600):\n    time.sleep(0.1)")
    panel = opened(page, 1)
    (folder := tmp_path / "papers").mkdir()
    (notes := tmp_path / "notes.txt").write_text("Rain.")
    page.start(2)
    page.page.wait_for_function(f"{KERNEL_JS}.status === 'busy'")
    drop(page, folder, notes)
    panel.wait("notes.txt")
    panel.wait("papers cannot be attached: it could not be read; of a folder, attach the files.")
    panel.ask("What is it about?")
    panel.wait("As you say.")
    assert page.running(2)
    (message,) = chats(server)[-1].json["messages"]
    assert message["content"] == "What is it about?\n\n```notes.txt\nRain.\n```"
    page.interrupt()
    assert page.errors == []
