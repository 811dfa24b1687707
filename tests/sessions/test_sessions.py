"""Which notebook is this, in a real session: found again, begun anew, never mixed; and what loading says of it."""

from __future__ import annotations

import json

import pytest

from ollama_magic import enabling
from tests.double import Delta
from tests.sessions.conftest import said
from tests.sessions.server import Notebook

FOUND = "will be sent; `%ollama clear` starts anew."


def test_a_new_notebook(desk):
    """A new notebook begins empty, and its session is found again by the next one."""
    notebook = desk.open(desk.new("new"))
    assert notebook.loaded == ""
    assert desk.chat(notebook, "a") == ["prompt a"]
    notebook.close()
    assert "1 turn with demo:latest" in notebook.start().load("a-new-notebook-load").loaded
    assert desk.chat(notebook, "b") == ["prompt a", "prompt b"]


def test_a_notebook_without_a_name_in_its_session(desk):
    """Where the session has a path and no name, the kernel is told a relative path, and the notebook is found too."""
    notebook = desk.new("relative")
    desk.server.ask("POST", "sessions", path=notebook.path, type="notebook", kernel={"name": "python3"})
    desk.open(notebook)  # the session that there is
    assert notebook.kernel.run("print(os.environ['JPY_SESSION_NAME'])").printed.strip() == notebook.path
    desk.chat(notebook, "a")
    notebook.restart().load(f"{desk.folder}-load")
    assert "1 turn with" in notebook.loaded


def test_renamed_while_it_runs(desk):
    """A rename takes nothing away from the running kernel, and the next session finds all under the new name."""
    notebook = desk.open(desk.new("old"))
    desk.chat(notebook, "a")
    notebook.save().rename(f"{desk.folder}/new.ipynb")
    assert desk.chat(notebook, "b") == ["prompt a", "prompt b"]
    notebook.save()
    assert notebook.run("opens", "%ollama open .").plain == ["All its turns are known already."]
    notebook.close()
    notebook.start().load(f"{desk.folder}-load")
    assert "2 turns" in notebook.loaded
    assert desk.chat(notebook, "c") == ["prompt a", "prompt b", "prompt c"]


def test_renamed_and_restarted(desk):
    """A restarted kernel keeps the environment of its first start, and finds its renamed notebook every time."""
    notebook = desk.open(desk.new("old"))
    desk.chat(notebook, "a")
    notebook.save().rename(f"{desk.folder}/new.ipynb")
    for turns in ("1 turn ", "1 turn "):
        notebook.restart().load(f"{desk.folder}-load")
        assert turns in notebook.loaded
    assert desk.chat(notebook, "b") == ["prompt a", "prompt b"]
    notebook.restart().load("another-cell-loads")
    assert "2 turns" in notebook.loaded
    assert notebook.run("opens", "%ollama open .").plain == ["All its turns are known already."]


@pytest.fixture
def enabled():
    """Kernels load the extension by themselves, before any cell runs."""
    enabling.enable()
    yield
    enabling.disable()


@pytest.mark.usefixtures("enabled")
def test_renamed_where_kernels_load_by_themselves(desk):
    """Without a cell that loads, a renamed notebook is found after every restart, also in a cell that is new."""
    notebook = desk.new("old")
    desk.opened.append(notebook.start())
    asked = [desk.chat(notebook, "a")[0]]
    notebook.save().rename(f"{desk.folder}/new.ipynb")
    for number in range(3):
        if number == 2:
            notebook.save().rename(f"{desk.folder}/newer.ipynb")
        notebook.restart().chat(f"{desk.folder}-fresh-{number}", f"fresh {number}")
        asked.append(f"fresh {number}")
        assert desk.sent() == asked
    assert notebook.run("opens", "%ollama open .").plain == ["All its turns are known already."]


@pytest.mark.usefixtures("enabled")
def test_two_renamed_from_one_name(desk):
    """Two notebooks that were renamed from one name are each found at every restart, though a third has that name."""
    books = []
    for name, mark in (("one", "x"), ("two", "y")):
        book = desk.new("old", mark)
        desk.opened.append(book.start())
        desk.chat(book, "a", f"prompt of {name}", mark=mark)
        books.append((book.save().rename(f"{desk.folder}/{name}.ipynb"), name, mark))
    desk.new("old", "z")
    for number in range(2):
        for book, name, mark in books:
            book.restart()
            desk.chat(book, f"fresh-{number}", f"fresh {number}", mark=mark)
            assert desk.sent() == [f"prompt of {name}", *(f"fresh {n}" for n in range(number + 1))]


def test_renamed_in_a_terminal(desk):
    """Where the server knows nothing of a rename, a restarted kernel finds its notebook all the same, every time."""
    notebook = desk.open(desk.new("old"))
    desk.chat(notebook, "a")
    notebook.save().file.rename(notebook.file.with_name("new.ipynb"))
    for _ in range(2):
        notebook.restart().load(f"{desk.folder}-load")
        assert "1 turn " in notebook.loaded
    assert notebook.run("opens", "%ollama open .").plain == ["All its turns are known already."]


def test_renamed_and_the_old_name_used_again(desk):
    """A new notebook under the old name begins empty; the renamed one goes on, in the same kernel and in the next."""
    first = desk.open(desk.new("one"))
    desk.chat(first, "a")
    first.save().rename(f"{desk.folder}/moved.ipynb")
    second = desk.open(desk.new("one", "x"), "x")
    assert "comes back when one of its cells runs" in second.loaded
    assert desk.chat(second, "a", mark="x") == ["prompt a"]
    assert desk.chat(first, "b") == ["prompt a", "prompt b"]
    first.restart().load(f"{desk.folder}-load")
    assert desk.chat(first, "c") == ["prompt a", "prompt b", "prompt c"]
    second.restart().load(f"{desk.folder}-xload")
    assert desk.chat(second, "b", mark="x") == ["prompt a", "prompt b"]
    first.close()
    first.start().load(f"{desk.folder}-load")
    assert "3 turns" in first.loaded


@pytest.mark.parametrize("running", [True, False], ids=["running", "closed"])
def test_a_copy(desk, running):
    """A copy begins empty and says so, and can go on from its own file; the original keeps its own."""
    notebook = desk.open(desk.new("original"))
    desk.chat(notebook, "a")
    copy = notebook.save().copy(f"{desk.folder}/copy.ipynb")
    if not running:
        notebook.close()
    desk.open(copy)
    assert copy.loaded == (
        "This notebook is a copy: its conversation begins empty. "
        "1 answer from elsewhere; `%ollama open .` continues from them."
    )
    assert desk.chat(copy, "b") == ["prompt b"]
    if not running:
        notebook.start().load(f"{desk.folder}-load")
    assert desk.chat(notebook, "c") == ["prompt a", "prompt c"]
    copy.restart().load(f"{desk.folder}-load")
    assert "1 turn with" in copy.loaded
    copy.run("opens", "%ollama open .")
    assert sorted(desk.chat(copy, "c")) == ["prompt a", "prompt b", "prompt c"]


def test_a_name_used_again(desk):
    """After a notebook was deleted a new one of its name begins empty, whatever inode it has."""
    notebook = desk.open(desk.new("same"))
    desk.chat(notebook, "a")
    notebook.close()
    notebook.delete()
    second = desk.open(desk.new("same", "x"), "x")
    assert second.loaded == (
        "Another notebook stood at this path before; its conversation comes back when one of its cells runs."
    )
    assert desk.chat(second, "a", "hello", mark="x") == ["hello"]


def test_deleted_and_made_under_another_name(desk):
    """A notebook that is made after another was deleted begins empty, though it has the other's inode."""
    notebook = desk.open(desk.new("gone"))
    desk.chat(notebook, "a")
    notebook.close()
    notebook.delete()
    second = desk.open(desk.new("made", "x"), "x")
    assert second.loaded == ""
    assert desk.chat(second, "a", "hello", mark="x") == ["hello"]


def unsaved(desk, name):
    """A new notebook as JupyterLab makes it: the file has no cells before the first save."""
    desk.server.ask(
        "PUT",
        f"contents/{desk.folder}/{name}.ipynb",
        type="notebook",
        format="json",
        content={"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5},
    )
    notebook = Notebook(desk.server, f"{desk.folder}/{name}.ipynb")
    desk.opened.append(notebook)
    return notebook.start()


def test_killed_before_the_first_save(desk):
    """A kernel that was killed before the file held any cell: the cell that loads is known, and all is found."""
    notebook = unsaved(desk, "Untitled").load("untitled-load")
    notebook.chat("untitled-a", "prompt a").kill().load("untitled-load")
    assert FOUND in notebook.loaded
    notebook.chat("untitled-b", "prompt b")
    assert desk.sent() == ["prompt a", "prompt b"]


def test_taken_up_when_a_known_cell_runs(desk):
    """Loaded in a new cell the old conversation is offered, and taken up as soon as a cell runs that it holds."""
    notebook = unsaved(desk, "Untitled").load("taken-load")
    notebook.chat("taken-a", "prompt a")
    desk.ollama.state.answers = lambda body: iter([Delta(f"word{n} ", wait=0.05) for n in range(400)])
    ask = notebook.kernel.start("%%chat\nprompt b", "taken-b")
    notebook.kernel.wait_until(lambda: "word20" in notebook.kernel.cell(ask).live)
    notebook.kill()
    desk.ollama.state.answers = said
    notebook.load("taken-new-load")
    assert "comes back when one of its cells runs" in notebook.loaded
    notebook.chat("taken-a", "prompt a, again")
    assert desk.sent() == ["prompt a, again"]
    notebook.chat("taken-c", "prompt c")
    assert desk.sent() == ["prompt a, again", "prompt b", "prompt c"]
    states = notebook.run("states", "data = %ollama history\nprint([turn.state for turn in data])")
    assert states.printed.strip() == "['complete', 'cut', 'complete']"


def test_deleted_while_no_kernel_listened(desk):
    """A cell that was deleted since the kernel before is named in the request that loads, and is not sent."""
    notebook = desk.open(desk.new("lesson"))
    for letter in "ab":
        desk.chat(notebook, letter)
    notebook.restart()
    loaded = notebook.run(f"{desk.folder}-load", "%load_ext ollama_magic", deleted=(f"{desk.folder}-a",))
    assert "1 turn with" in "".join(loaded.plain)
    assert desk.chat(notebook, "c") == ["prompt b", "prompt c"]


def test_a_pasted_cell_is_sent_again_when_it_is_saved(desk):
    """A cell that was cut and pasted is named as deleted; once it was saved it counts, though it did not run."""
    notebook = desk.open(desk.new("lesson"))
    for letter in "ab":
        desk.chat(notebook, letter)
    notebook.chat(f"{desk.folder}-c", "prompt c", deleted=(f"{desk.folder}-a", f"{desk.folder}-b"))
    assert desk.sent() == ["prompt c"]
    del notebook.cells[f"{desk.folder}-b"]
    notebook.save()
    assert desk.chat(notebook, "c") == ["prompt a", "prompt c"]


@pytest.mark.parametrize("asked", [True, False], ids=["asked", "loaded"])
def test_two_kernels(desk, second_server, asked):
    """A second kernel on the same notebook says that another one is writing, begins empty and is kept apart."""
    first = desk.open(desk.new("shared"))
    if asked:
        desk.chat(first, "a")
        first.save()
    second = Notebook(second_server, first.path, first.cells).start().load(f"{desk.folder}-load")
    if not asked:
        desk.chat(first, "a")
    assert desk.chat(second, "b") == ["prompt b"]
    shown = second.outputs[f"{desk.folder}-b"].outputs[0]["data"]["text/html"]
    assert "Another kernel is writing this notebook" in (second.loaded if asked else shown)
    assert desk.chat(first, "c") == ["prompt a", "prompt c"]
    assert desk.chat(second, "c") == ["prompt b", "prompt c"]
    second.close()
    first.restart().load(f"{desk.folder}-load")
    assert "2 turns" in first.loaded
    assert desk.chat(first, "b") == ["prompt a", "prompt c", "prompt b"]


def test_saved_by_an_editor(desk):
    """A file that an editor replaced with the same cells in it is the same notebook."""
    notebook = desk.open(desk.new("edited"))
    desk.chat(notebook, "a")
    notebook.save()
    temp = notebook.file.with_suffix(".tmp")
    temp.write_bytes(notebook.file.read_bytes())
    before = notebook.file.stat().st_ino
    temp.replace(notebook.file)
    assert notebook.file.stat().st_ino != before
    notebook.restart().load(f"{desk.folder}-load")
    assert "1 turn with" in notebook.loaded
    notebook.rename(f"{desk.folder}/renamed.ipynb").restart().load(f"{desk.folder}-load")
    assert desk.chat(notebook, "b") == ["prompt a", "prompt b"]


def test_checkout_of_another_version(desk):
    """Another version of the file, with some of its cells, is the same notebook; what it shows of its own is told."""
    notebook = desk.open(desk.new("versions"))
    for letter in "ab":
        desk.chat(notebook, letter)
    notebook.close()
    other = Notebook(desk.server, notebook.path, notebook.cells)
    other.cells[f"{desk.folder}-d"] = "%%chat\nprompt d"
    content = json.loads(notebook.save().file.read_text())
    answer = json.loads(json.dumps(content["cells"][1]).replace("prompt a", "prompt d"))
    answer["id"] = f"{desk.folder}-d"
    answer["outputs"][0]["metadata"]["ollama_magic"]["slot"] = f"{desk.folder}-d/1"
    content["cells"] = [content["cells"][0], answer, content["cells"][1]]
    notebook.file.unlink()
    notebook.file.write_text(json.dumps(content))
    notebook.start().load(f"{desk.folder}-load")
    assert "2 turns" in notebook.loaded
    notebook.kernel.wait_until(lambda: "1 answer from elsewhere" in str(notebook.kernel.messages))
    assert notebook.run("opens", "%ollama open .").plain[0].startswith("1 turn added")
    assert desk.chat(notebook, "c") == ["prompt a", "prompt b", "prompt d", "prompt c"]
