"""A conversation outlives its kernel: killed, restarted, renamed, copied."""

import base64
import os
import shutil
import signal
import sqlite3
import time

import nbformat
import pytest

from tests.answers import chats, sent
from tests.double import DEMO, SMALL, Delta
from tests.double.library.scripted_models import VISION
from tests.kernel.kernel import Kernel
from tests.magics.test_attach import png
from tests.tools.dialogues import call, rounds


def answers(body):
    return [f"You said: {body['messages'][-1]['content'].strip()}"]


@pytest.fixture
def home(tmp_path):
    """A folder with a notebook of three chat cells, and a data folder of its own."""
    cells = [nbformat.v4.new_code_cell(f"%%chat\nprompt {name}", id=f"cell-of-{name}") for name in "abc"]
    cells.insert(0, nbformat.v4.new_code_cell("%load_ext ollama_magic", id="cell-that-loads"))
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "lesson.ipynb")
    return tmp_path


@pytest.fixture
def start(home, demo_server):
    server = demo_server(pace=0, answers=answers, models=(DEMO, SMALL))
    kernels = []

    def start(name="lesson.ipynb"):
        environ = {"OLLAMA_HOST": server.url, "JPY_SESSION_NAME": str(home / name), "XDG_DATA_HOME": str(home / "data")}
        kernel = Kernel(environ)
        kernels.append(kernel)
        kernel.loading = kernel.run("%load_ext ollama_magic", "cell-that-loads")
        return kernel

    start.server = server
    yield start
    for kernel in kernels:
        kernel.stop()


def ask(kernel, name, prompt=None):
    cell = kernel.run(f"%%chat\n{prompt or 'prompt ' + name}", f"cell-of-{name}")
    assert cell.status == "ok", cell.traceback
    return cell


def kill(kernel):
    os.kill(kernel.manager.provisioner.pid, signal.SIGKILL)
    kernel.stop()


def prompts(server):
    return [text for role, text in sent(chats(server)[-1]) if role == "user"]


def test_a_killed_kernel_loses_nothing(start):
    """After kill -9 the next kernel says what it found and sends it."""
    kernel = start()
    for name in "ab":
        ask(kernel, name)
    said = [str(one["content"]["data"]) for of in kernel.messages.values() for one in of if "data" in one["content"]]
    assert any("Conversations are saved in" in text for text in said), "the first write names the store"
    kill(kernel)
    kernel = start()
    assert "2 turns with demo:latest" in "".join(kernel.loading.plain)
    ask(kernel, "c")
    assert prompts(start.server) == ["prompt a", "prompt b", "prompt c"]


def test_restart_and_run_all_is_the_same_conversation(start):
    """Running all cells after a restart replaces each turn in its place."""
    kernel = start()
    for name in "abc":
        ask(kernel, name)
    kernel.stop()
    kernel = start()
    for name in "abc":
        ask(kernel, name)
    assert prompts(start.server) == ["prompt a", "prompt b", "prompt c"]


def test_an_answer_that_was_running_is_kept_as_cut(start):
    """A kernel that dies in mid-answer leaves the text of at most a quarter of a second ago, as cut."""
    kernel = start()
    ask(kernel, "a")
    parts = [Delta(f"word{n} ", wait=0.05) for n in range(400)]
    start.server.state.answers = lambda body: iter(parts)
    asked = kernel.start("%%chat\nprompt b", "cell-of-b")
    kernel.wait_until(lambda: "word20" in kernel.cell(asked).live)
    kill(kernel)
    start.server.state.answers = answers
    kernel = start()
    history = kernel.run("data = %ollama history\nprint([(t.prompt, t.state, 'word10' in t.text) for t in data])")
    assert "('prompt b', 'cut', True)" in history.printed


def test_a_copy_begins_empty_and_the_original_goes_on(start, home):
    """A copied notebook has its own conversation; the original keeps its own."""
    kernel = start()
    ask(kernel, "a")
    kernel.stop()
    shutil.copy(home / "lesson.ipynb", home / "copy.ipynb")
    kernel = start("copy.ipynb")
    ask(kernel, "b")
    assert prompts(start.server) == ["prompt b"]
    kernel.stop()
    ask(start(), "c")
    assert prompts(start.server) == ["prompt a", "prompt c"]


def test_a_renamed_notebook_takes_its_conversation_along(start, home):
    """After a rename the conversation is found under the new name."""
    kernel = start()
    ask(kernel, "a")
    kernel.stop()
    (home / "lesson.ipynb").rename(home / "renamed.ipynb")
    ask(start("renamed.ipynb"), "b")
    assert prompts(start.server) == ["prompt a", "prompt b"]


def test_a_second_kernel_is_told_and_kept_apart(start):
    """While one kernel writes a notebook, another on it begins empty and says so."""
    ask(start(), "a")
    second = start()
    assert "Another kernel" in "".join(second.loading.plain)
    ask(second, "b")
    assert prompts(start.server) == ["prompt b"]


def test_another_notebook_at_the_same_path_is_another_conversation(start, home):
    """A new notebook under a used name begins empty."""
    kernel = start()
    ask(kernel, "a")
    kernel.stop()
    new = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1", id="quite-another-cell")])
    nbformat.write(new, home / "lesson.ipynb")
    kernel = Kernel(
        {
            "OLLAMA_HOST": start.server.url,
            "JPY_SESSION_NAME": str(home / "lesson.ipynb"),
            "XDG_DATA_HOME": str(home / "data"),
        }
    )
    kernel.run("%load_ext ollama_magic", "a-new-cell-loads")
    kernel.run("%%chat\nwho am I?", "a-new-cell-asks")
    assert prompts(start.server) == ["who am I?"]
    kernel.stop()


def test_without_a_path_nothing_is_written(demo_server, home, tmp_path):
    """A kernel that knows no notebook keeps its conversation in memory and touches no disk."""
    kernel = Kernel({"OLLAMA_HOST": demo_server(pace=0).url, "XDG_DATA_HOME": str(tmp_path / "data")})
    kernel.run("%load_ext ollama_magic", "x")
    assert kernel.run("%%chat\nHello", "y").status == "ok"
    kernel.stop()
    assert not (tmp_path / "data").exists()


def test_erase_leaves_no_byte(start, home):
    """`clear --erase` leaves no byte of what was said in our folder."""
    kernel = start()
    ask(kernel, "a", "the secret word is xylophonist")
    store = home / "data"
    assert any(b"xylophonist" in path.read_bytes() for path in store.rglob("*") if path.is_file())
    said = kernel.run("%ollama clear --erase")
    assert said.status == "ok", said.traceback
    assert "checkpoints" in "".join(said.plain)
    assert not any(b"xylophonist" in path.read_bytes() for path in store.rglob("*") if path.is_file())


def test_store_false_writes_nothing(start, home):
    """With `OllamaMagic.store = False` nothing is written, and the conversation lives in memory."""
    (home / "ipython" / "profile_default").mkdir(parents=True)
    (home / "ipython" / "profile_default" / "ipython_config.py").write_text("c.OllamaMagic.store = False\n")
    kernel = Kernel(
        {
            "OLLAMA_HOST": start.server.url,
            "JPY_SESSION_NAME": str(home / "lesson.ipynb"),
            "XDG_DATA_HOME": str(home / "data"),
            "IPYTHONDIR": str(home / "ipython"),
        }
    )
    kernel.run("%load_ext ollama_magic", "cell-that-loads")
    for name in "ab":
        ask(kernel, name)
    assert prompts(start.server) == ["prompt a", "prompt b"]
    kernel.stop()
    assert not (home / "data").exists()


def test_save_and_open(start, home):
    """What was saved is read back into an empty conversation, from JSON and a notebook; Markdown is for people."""
    kernel = start()
    for name in "ab":
        ask(kernel, name)
    page = home / "talk.md"
    assert kernel.run(f"%ollama save {page}").status == "ok"
    assert kernel.run(f"%ollama open {page}").status == "error"
    for kind in ("json", "ipynb"):
        file = home / f"talk.{kind}"
        assert kernel.run(f"%ollama save {file}").status == "ok"
        assert kernel.run(f"%ollama save {file}").status == "error"
        kernel.run("%ollama clear")
        assert kernel.run(f"%ollama open {file}").status == "ok"
        read = kernel.run("data = %ollama history\nprint([(t.prompt, t.text) for t in data])").printed
        assert read.strip() == str([(f"prompt {name}", f"You said: prompt {name}") for name in "ab"])
        kernel.run("%ollama undo\n%ollama undo")


def test_a_second_person_goes_on_from_the_file(start, home):
    """Someone with the saved notebook alone asks on with what it shows."""
    kernel = start()
    cells = {name: ask(kernel, name) for name in "ab"}
    kernel.stop()
    notebook = nbformat.read(home / "lesson.ipynb", 4)
    for cell in notebook.cells[1:3]:
        output = next(one for one in cells[cell.id[-1]].outputs if "text/html" in one.get("data", {}))
        cell.outputs = [nbformat.v4.new_output("display_data", output["data"], metadata=output["metadata"])]
    (home / "elsewhere").mkdir()
    nbformat.write(notebook, home / "elsewhere" / "lesson.ipynb")
    (home / "lesson.ipynb").unlink()
    shutil.rmtree(home / "data")
    kernel = start("elsewhere/lesson.ipynb")
    assert "2 answers from elsewhere" in "".join(kernel.loading.plain)
    assert kernel.run("%ollama open .").status == "ok"
    ask(kernel, "c", "what did we conclude?")
    assert prompts(start.server) == ["prompt a", "prompt b", "what did we conclude?"]


def test_prompt_shows_what_was_sent(start):
    """`%ollama prompt` shows the rendered prompt of the newest turn."""
    kernel = start()
    ask(kernel, "a")
    shown = kernel.run("%ollama prompt")
    assert shown.status == "ok"
    assert "prompt a" in "".join(shown.plain)


def test_keeping_can_be_ended_and_not_moved(start, home):
    """`store = False` ends the keeping at once; another store is refused once the conversation has begun."""
    kernel = start()
    ask(kernel, "a")
    moved = kernel.run("%config OllamaMagic.store = 'elsewhere.sqlite'").outputs
    assert "before the first turn only" in str(moved)
    kernel.run("%config OllamaMagic.store = False")
    ask(kernel, "b")
    assert prompts(start.server) == ["prompt a", "prompt b"]
    kernel.stop()
    ask(start(), "c")
    assert prompts(start.server) == ["prompt a", "prompt c"]


def test_a_locked_store_holds_nobody_up(start, home):
    """While the store is locked a turn ends with «not saved yet»; that goes with the lock, and nothing is lost."""
    kernel = start()
    ask(kernel, "a")
    (path,) = (home / "data").rglob("conversations.sqlite")
    lock = sqlite3.connect(path, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    cell = ask(kernel, "b")
    assert any(
        "not saved yet" in one["data"]["text/html"] for one in cell.outputs if "text/html" in one.get("data", {})
    )
    lock.execute("ROLLBACK")
    lock.close()
    asked = next(ask for ask, messages in kernel.messages.items() if any("prompt b" in str(m) for m in messages))
    kernel.wait_until(lambda: "not saved yet" not in str(kernel.cell(asked).outputs))
    kill(kernel)
    ask(start(), "c")
    assert prompts(start.server) == ["prompt a", "prompt b", "prompt c"]


def beginning(home, server):
    """Returns what starts a kernel of the lesson that asks this server."""
    environ = {
        "OLLAMA_HOST": server.url,
        "JPY_SESSION_NAME": str(home / "lesson.ipynb"),
        "XDG_DATA_HOME": str(home / "data"),
    }

    def begin():
        kernel = Kernel(environ)
        kernel.run("%load_ext ollama_magic", "cell-that-loads")
        return kernel

    return begin


def test_a_killed_kernel_keeps_attachments(home, demo_server):
    """After kill -9 the next kernel sends the picture of the turn before again, byte for byte."""
    server = demo_server(pace=0, answers=answers, models=(VISION,))
    (home / "dot.png").write_bytes(png())
    begin = beginning(home, server)
    kernel = begin()
    cell = kernel.run(f"%%chat -a '{home}/dot.png'\nWhat is this?", "cell-of-a")
    assert cell.status == "ok", cell.traceback
    kill(kernel)
    kernel = begin()
    ask(kernel, "b")
    kernel.stop()
    first, *_ = chats(server)[-1].json["messages"]
    assert first == {"role": "user", "content": "What is this?", "images": [base64.b64encode(png()).decode()]}


TOOLS = """
import pathlib, time

def note() -> str:
    "Write a line."
    with pathlib.Path({place!r}).open("a") as file:
        file.write("ran\\n")
    return "noted"

def hang() -> str:
    "Wait."
    pathlib.Path({place!r}).with_suffix(".hangs").touch()
    time.sleep(60)
    return "never"
"""


def test_a_kernel_killed_between_tools_keeps_its_steps(home, demo_server):
    """After kill -9 in the middle of a turn with tools the steps so far are sent on, and nothing runs a second time."""
    place = home / "notes"
    server = demo_server(pace=0, models=(SMALL,), answers=rounds([call("note")], [call("hang")], ["Done."]))
    begin = beginning(home, server)
    kernel = begin()
    kernel.run(TOOLS.format(place=str(place)), "define")
    kernel.start("%%chat -t note -t hang\nGo.", "cell-of-a")
    kernel.wait_until(place.with_suffix(".hangs").exists)
    time.sleep(0.5)  # twice as long as the store may be behind (design.md §7.1)
    kill(kernel)
    kernel = begin()
    kernel.run(TOOLS.format(place=str(place)), "define")
    assert "note()" in "".join(kernel.run("%ollama history", "history").plain)
    server.state.answers = answers
    ask(kernel, "b")
    kernel.stop()
    assert place.read_text() == "ran\n"
    results = [message["content"] for message in chats(server)[-1].json["messages"] if message["role"] == "tool"]
    assert results[0] == "noted"


def test_answers_side_by_side_that_were_running_are_found(start):
    """A kernel that dies while two models answer leaves both texts as cut, the first one remembered."""
    start.server.state.answers = lambda body: iter([Delta(f"{body['model']}{n} ", wait=0.05) for n in range(400)])
    kernel = start()
    asked = kernel.start("%%chat -m demo -m demo-small\nprompt a", "cell-of-a")
    kernel.wait_until(lambda: "demo20" in kernel.cell(asked).live and "demo-small20" in kernel.cell(asked).live)
    kill(kernel)
    start.server.state.answers = answers
    kernel = start()
    kernel.run("data = %ollama history")
    found = kernel.run("print([(t.model, t.state, t.text.split()[:2]) for t in (data[0], *data[0].alternatives)])")
    columns = [(name, "cut", [f"{name}0", f"{name}1"]) for name in ("demo", "demo-small")]
    assert found.printed == f"{columns}\n"
    ask(kernel, "b")
    assert prompts(start.server) == ["prompt a", "prompt b"]
