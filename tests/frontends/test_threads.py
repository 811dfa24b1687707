"""Scripts and threads: magics that are called where no cell is, or not in its thread."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.answers import chats, paragraphs, sent, words
from tests.double import Fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.double import ScriptedServer
    from tests.kernel.kernel import Kernel

    Servers = Callable[..., ScriptedServer]
    Kernels = Callable[..., Kernel]

SHELL = """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_line_magic("load_ext", "ollama_magic")
"""
THREAD = """
import threading
def ask(text):
    try:
        shell.run_line_magic("chat", text)
    except Exception as error:
        print("raised", type(error).__name__)
threads = [threading.Thread(target=ask, args=(text,)) for text in texts]
for one in threads: one.start()
for one in threads: one.join()
"""


def script(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a program that has a shell and the extension; warnings are errors in it."""
    command = [sys.executable, "-W", "error", *arguments, "-c", SHELL + code]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, encoding="utf8")


def test_a_script(answering: Servers) -> None:
    """A script with a plain shell prints the answer as text, keeps the conversation, and ends by itself."""
    server = answering(answers=lambda _: words(paragraphs(2)))
    done = script(
        'shell.run_cell_magic("chat", "", "Tell me.\\n")\nshell.run_cell("r = %chat And then?\\nprint(r.state)")'
    )
    assert (done.stdout, done.stderr, done.returncode) == (f"{paragraphs(2)}\n{paragraphs(2)}\ncomplete\n", "", 0)
    assert sent(chats(server)[1])[:2] == [("user", "Tell me."), ("assistant", paragraphs(2))]


def test_a_script_that_fails(answering: Servers) -> None:
    """A script whose turn fails gets an exception of ours that it can catch, with one line."""
    answering()
    code = """
from ollama_magic.errors import OllamaMagicError
try:
    shell.run_line_magic("chat", "-m nobody Hello?")
except OllamaMagicError as error:
    print(error)
"""
    done = script(code)
    assert done.stderr == ""
    assert done.stdout.startswith('No model "nobody"')
    assert done.stdout.count("\n") == 1


def test_a_script_that_ends_early(answering: Servers) -> None:
    """A script that ends while an answer runs in the background hangs up and is not held."""
    server = answering(faults=[Fault("silence", after=1)])
    code = """
shell.run_line_magic("chat", "-b Tell me.")
import ollama_magic
while not ollama_magic.last.text:
    pass
"""
    done = script(code)
    assert (done.returncode, done.stderr) == (0, "")
    assert chats(server)[0].ended.wait(30)
    assert chats(server)[0].closed_early


def test_a_script_that_ends_with_an_open_stream(answering: Servers) -> None:
    """A script that has read only the beginning of an answer, and still holds it, ends by itself."""
    server = answering(faults=[Fault("silence", after=1)])
    done = script("import ollama_magic\nchunks = iter(ollama_magic.stream('Tell me.'))\nnext(chunks)")
    assert (done.returncode, done.stderr) == (0, "")
    assert chats(server)[0].ended.wait(30)


def test_threads_of_a_script(answering: Servers) -> None:
    """Threads of a script ask one after the other, and each gets its whole answer."""
    server = answering(answers=lambda _: ["Fine.\n"])
    done = script(f"texts = ['one', 'two', '-m nobody three']{THREAD}")
    assert (done.stderr, done.returncode) == ("", 0)
    assert sorted(done.stdout.splitlines()) == ["Fine.", "Fine.", "raised ModelNotFound"]
    assert len(sent(chats(server)[1])) == 3


@pytest.mark.parametrize("cell", [None, "a"], ids=["nbclient", "JupyterLab"])
def test_a_thread_in_a_kernel(demo_server: Servers, kernel: Kernels, cell: str | None) -> None:
    """A thread that a cell has started shows its answer in that cell, and the kernel goes on."""
    server = demo_server(pace=0, answers=lambda _: words(paragraphs(3)))
    shell = kernel(server)
    done = shell.run(f"shell = get_ipython(); texts = ['Tell me.']{THREAD}", cell)
    assert (done.status, done.printed) == ("ok", "")
    assert done.plain == [paragraphs(3)]
    assert shell.run("%%chat\nAnd then?", cell and "the next").plain == [paragraphs(3)]
    assert len(sent(chats(server)[1])) == 3


@pytest.mark.parametrize("cell", [None, "a"], ids=["nbclient", "JupyterLab"])
def test_a_thread_that_outlives_its_cell(demo_server: Servers, kernel: Kernels, cell: str | None) -> None:
    """A thread that asks after its cell has ended still gets its answer, and no cell's output is harmed."""
    server = demo_server(pace=0, answers=lambda _: words(paragraphs(3)))
    shell = kernel(server)
    wait = "go = threading.Event(); texts = ['Tell me.']; shell = get_ipython()"
    late = THREAD.replace("for one in threads: one.join()", "").replace("    try:", "    go.wait()\n    try:")
    assert shell.run(f"import threading\n{wait}{late}", cell).status == "ok"
    done = shell.run(
        "go.set()\nfor one in threads: one.join()\nimport ollama_magic\nprint(ollama_magic.last.text)", "b"
    )
    assert (done.status, done.printed) == ("ok", paragraphs(3) + "\n")
    assert settled(shell) == [paragraphs(3)]


def settled(shell: Kernel) -> list[Any]:
    """The text/plain of all updates, whichever cell they came in."""
    messages = [message for of_cell in list(shell.messages.values()) for message in of_cell]
    data = [one["content"]["data"] for one in messages if one["msg_type"] == "update_display_data"]
    found = [one["text/plain"] for one in data if one]  # loading announces itself by an update without data
    return [text for text in found if "run this cell again" not in text]
