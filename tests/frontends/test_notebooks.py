"""Notebooks without a front end: nbclient and papermill run them, nbconvert prints them."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import nbformat
import papermill
import pytest
from nbclient.exceptions import CellExecutionError
from nbconvert import HTMLExporter, MarkdownExporter, PythonExporter

from tests.answers import chats, paragraphs, sent, words
from tests.double import Fault
from tests.frontends.notebooks import answer, executed, notebook, outputs, state

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.double import ScriptedServer

    Servers = Callable[..., ScriptedServer]

COLOURS = re.compile(r"\x1b\[[0-9;]*m")
HOSTILE = "Look: <script>alert(1)</script> <img src=x onerror=alert(2)> [go](javascript:alert(3)) and **done**."

MANY_TURNS = """
from ollama_magic.line.loaded import loaded_magics
from ollama_magic.turns.turn_value import Outcome, Turn
journal = loaded_magics().session.journal
journal.add([Turn(f'question {n}', 'Some **words**. ' * 40, outcome=Outcome('complete')) for n in range(1, 41)])
"""

ALL_SETTLED = """
from ollama_magic.line.loaded import loaded_magics
while loaded_magics().session.running():
    pass
"""


def several(_: object) -> list[str]:
    return words(paragraphs(3))


def test_nbclient(answering: Servers) -> None:
    """A notebook run by nbclient holds HTML, text and metadata of every answer, and neither widgets nor their state."""
    server = answering(answers=several)
    made = executed("%%chat\nTell me.", "r = %chat And then?\nprint(r.state, len(r.text))", "%ollama")
    for index, slot in ((1, "1"), (2, "2")):
        told = outputs(made, index)[0]
        assert set(told["data"]) == {"text/html", "text/plain"}
        assert "<strong>p2</strong>" in told["data"]["text/html"]
        assert answer(made, index) == paragraphs(3)
        labels = {"slot": slot, "conversation": "main", "model": "demo:latest", "state": "complete"}
        assert labels.items() <= told["metadata"]["ollama_magic"].items()
    assert outputs(made, 2)[1]["text"] == f"complete {len(paragraphs(3))}\n"
    assert server.url in answer(made, 3)
    assert "widget" not in json.dumps(made)
    assert sent(chats(server)[1])[:2] == [("user", "Tell me."), ("assistant", paragraphs(3))]


def test_a_background_answer_without_front_end(answering: Servers) -> None:
    """A background answer reaches its own cell in the file, also when it ends while another cell runs or none."""
    answering(answers=lambda body: ["first"] if "first" in str(body["messages"]) else several(body))
    made = executed("%%chat -b\nAsk first.", "%%chat -b --once\nAsk again.", ALL_SETTLED, "'the cell after'")
    assert [answer(made, 1), answer(made, 2)] == ["first", paragraphs(3)]
    assert [state(made, 1), state(made, 2)] == ["complete", "complete"]
    assert answer(made, 4) == "'the cell after'"


def test_the_last_cell_in_the_background(answering: Servers) -> None:
    """Where nobody watches, a background answer of the last cell is waited for, and stands in the saved notebook."""
    answering(pace=200, answers=several)
    made = executed("%%chat -b\nAsk.")
    assert state(made, 1) == "complete"
    assert answer(made, 1)


@pytest.mark.parametrize(
    ("cell", "error", "says"),
    [
        ("%%chat -m nobody:1b\nHello?", "ModelNotFound", 'No model "nobody:1b"'),
        ("%%chat --modle demo\nHello?", "InputError", "--model"),
        ("%%chat\n", "InputError", "prompt"),
        ("%ollama lst", "InputError", "list"),
    ],
)
def test_a_failing_cell(answering: Servers, cell: str, error: str, says: str) -> None:
    """A cell that cannot be done stops the run with one readable line and not a traceback."""
    server = answering()
    with pytest.raises(CellExecutionError) as failed:
        executed(cell, "%%chat\nNever sent.")
    line = COLOURS.sub("", failed.value.traceback).rpartition(f"{'-' * 18}\n")[2].strip()
    assert line == f"{failed.value.ename}: {failed.value.evalue}"
    assert (failed.value.ename, says in line, "\n" in line) == (error, True, False)
    assert not chats(server)


def test_a_failed_turn(answering: Servers) -> None:
    """A turn that breaks off stops the run, and its text stays in the file with its mark."""
    answering(answers=several, faults=[Fault("drop", after=8)])
    made = executed("%%chat\nTell me.", "%%chat\nGo on.", allow_errors=True)
    told, error = outputs(made, 1)
    assert told["metadata"]["ollama_magic"]["state"] == "cut"
    assert told["data"]["text/plain"].endswith("\n\n[cut]")
    assert (error["ename"], len(error["traceback"])) == ("AnswerCut", 1)
    assert state(made, 2) == "complete"


def test_papermill(answering: Servers, tmp_path: Path) -> None:
    """A parameter of papermill is filled into the prompt, and its saved notebook holds answer and parameter."""
    server = answering(answers=several)
    made = notebook(
        "topic = 'rivers'", "%%chat\nTell me of {{topic}}.", "r = %chat And of {{topic.upper()}} {{topic}}?"
    )
    made.cells[1].metadata["tags"] = ["parameters"]
    before, after = tmp_path / "before.ipynb", tmp_path / "after.ipynb"
    nbformat.write(made, before)
    papermill.execute_notebook(before, after, {"topic": "mountains"}, kernel_name="python3", progress_bar=False)
    read = nbformat.read(after, as_version=4)
    assert sent(chats(server)[0]) == [("user", "Tell me of mountains.")]
    assert sent(chats(server)[1])[-1] == ("user", "And of {{topic.upper()}} mountains?")
    index = next(i for i, cell in enumerate(read.cells) if cell.source.startswith("%%chat"))
    assert (answer(read, index), state(read, index)) == (paragraphs(3), "complete")
    assert outputs(read, index)[0]["metadata"]["ollama_magic"]["prompt"] == "Tell me of mountains."
    assert "widgets" not in read.metadata


def test_papermill_tells_a_failure(answering: Servers, tmp_path: Path) -> None:
    """A run by papermill that fails says why on one line, and its notebook holds the answers before."""
    answering(answers=several)
    before, after = tmp_path / "before.ipynb", tmp_path / "after.ipynb"
    nbformat.write(notebook("%%chat\nTell me.", "%%chat -m nobody\nAnd you?"), before)
    with pytest.raises(papermill.PapermillExecutionError) as failed:
        papermill.execute_notebook(before, after, kernel_name="python3", progress_bar=False)
    assert 'No model "nobody"' in failed.value.evalue
    assert len(failed.value.traceback) == 1
    assert any("p2" in json.dumps(cell.get("outputs", [])) for cell in nbformat.read(after, as_version=4).cells)


def test_nbconvert(answering: Servers) -> None:
    """Exported to HTML, an answer stands there rendered, and nothing of a hostile one runs."""
    answering(answers=lambda _: [HOSTILE], faults=[Fault("script", script=words(paragraphs(3)))])
    made = executed("%%chat\nTell me.", "%%chat\nBe hostile.", "%ollama")
    page, _ = HTMLExporter().from_notebook_node(made)
    empty, _ = HTMLExporter().from_notebook_node(notebook())
    assert "<strong>p2</strong> is paragraph number 2 of <code>3</code>" in page
    assert "<strong>done</strong>" in page
    assert page.count("<script") == empty.count("<script")
    assert "<img" not in page
    assert 'href="javascript' not in page
    assert "demo:latest" in page


def test_nbconvert_to_text(answering: Servers) -> None:
    """Exported to Markdown the answers stand there, and exported to a script the cells do."""
    answering(answers=several)
    made = executed("%%chat\nTell me.", "r = %chat And then?")
    page, _ = MarkdownExporter().from_notebook_node(made)
    assert page.count("p2</strong>") + page.count("**p2**") == 2
    script, _ = PythonExporter().from_notebook_node(made)
    assert "run_cell_magic('chat', '', 'Tell me.\\n')" in script
    compile(script, "exported.py", "exec")


def test_the_transcript_of_a_panel(answering: Servers) -> None:
    """A long transcript stands in its outputs in order, what came later included, and so does it in a printed page."""
    answering(answers=several)
    made = executed("%ollama panel", MANY_TURNS, "%%chat\nAnd then?")
    asked = [*(f"question {n}" for n in range(1, 41)), "And then?"]
    texts = [output["data"].get("text/plain", "") for output in outputs(made, 1)]
    assert re.findall(r"^> (.*)$", "\n".join(texts), re.MULTILINE) == asked
    assert texts.count("") > 1
    with pytest.warns(UserWarning, match="is not able to be represented"):
        page = HTMLExporter(template_name="classic").from_notebook_node(made)[0]
    assert re.findall(r"<blockquote><p>(.*?)</p>", page) == asked
    shown = len(re.findall(r'<div class="[^"]*output_subarea', page))
    assert shown == sum(map(bool, texts)) + 1  # the answer of the last cell, too
