"""Several `-m` in one cell: one prompt, an answer in a column for each model, and one of them remembered."""

from __future__ import annotations

import _thread
import json
import threading
import time
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from IPython.utils.capture import capture_output

import ollama_magic
from tests.double import SMALL, ScriptedServer
from tests.shells import run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

MODELS = [replace(SMALL, name=name) for name in ("a", "b", "c", "d")]
ASK = "%%chat -m a -m b\nHi"


class Answers:
    """What each model says; a function is called, and what it raises fails the answer."""

    def __init__(self) -> None:
        self.texts: dict[str, Any] = {}

    def __call__(self, body: Any) -> Any:
        model = body["model"].removesuffix(":latest")
        text = self.texts.get(model, f"I am **{model}**.")
        return text(body) if callable(text) else [text]


@pytest.fixture
def answers() -> Answers:
    return Answers()


@pytest.fixture
def server(answers: Answers) -> Iterator[ScriptedServer]:
    with ScriptedServer(pace=0, models=MODELS, answers=answers) as running:
        yield running


@pytest.fixture
def html(shell: Any) -> Any:
    """A shell that shows bundles, as a notebook does."""
    shell.run_cell("%config OllamaMagic.display = 'html'")
    return shell


def in_cell(shell: Any, cell: str, source: str, execution: list[int] = [0]) -> tuple[Any, BaseException | None]:  # noqa: B006
    """Run a cell that has an id, as a front end does; return its last output, and its error."""
    execution[0] += 1
    parent = {"header": {"msg_id": str(execution[0])}, "metadata": {"cellId": cell}}
    shell.kernel = SimpleNamespace(get_parent=lambda: parent)
    try:
        with capture_output() as shown:
            error = shell.run_cell(source).error_in_exec
        return (shown.outputs or [None])[-1], error
    finally:
        del shell.kernel


def turns(shell: Any) -> list[tuple[str, str, list[str]]]:
    """Prompt and model of the turns that count, with the models of their alternatives."""
    shell.run_cell("_found = %ollama history")
    found: Sequence[Any] = shell.user_ns["_found"]
    return [(turn.prompt, turn.model, [other.model for other in turn.alternatives]) for turn in found]


def sent_models(server: ScriptedServer) -> list[str]:
    return [request.json["model"] for request in server.requests if request.path == "/api/chat"]


def test_two_models_in_one_output(html: Any, server: ScriptedServer) -> None:
    """One prompt is sent to both, each has its heading in one output, the first is remembered, `--out` binds both."""
    output, error = in_cell(html, "x", "%%chat -m a -m b --out both\nHi")
    assert error is None
    assert output.data["text/plain"] == "## a\n\nI am **a**.\n\n## b\n\nI am **b**."
    assert sorted(sent_models(server)) == ["a", "b"]
    assert [reply.model for reply in html.user_ns["both"]] == ["a", "b"]
    assert output.metadata["ollama_magic"] == {
        "slot": "x/1",
        "conversation": "main",
        "model": "a",
        "state": "complete",
        "columns": [{"model": model, "state": "complete", "chars": 11} for model in "ab"],
        "column": 1,
    }
    page = output.data["text/html"]
    assert page.count('class="ollama-magic-column"') == 2
    assert "<strong>a</strong> <small>· remembered</small>" in page
    assert "%ollama keep b" in page
    assert "%ollama keep a<" not in page
    assert turns(html) == [("Hi", "a", ["b"])]
    assert ollama_magic.last is html.user_ns["both"][0]


def test_later_turns_see_the_remembered_one(html: Any, server: ScriptedServer) -> None:
    """`keep` chooses the answer that later turns are sent after; undo and redo follow, and the history marks it."""
    output, _ = in_cell(html, "x", "%%chat -m a -m b --out both\nHi")
    in_cell(html, "y", "%%chat -m a\nNext")
    assert _texts(server) == ["Hi", "I am **a**.", "Next"]
    said, error = run(html, "%ollama keep b")
    assert error is None
    assert "1 later answer is older than this" in said
    assert turns(html) == [("Hi", "b", ["a"]), ("Next", "a", [])]
    assert "Next · a · " in (history := run(html, "%ollama history")[0])
    assert "older than a turn above" in history
    assert "beside it: a" in history
    assert ollama_magic.last.model == "a"
    in_cell(html, "z", "%%chat -m a\nMore")
    assert _texts(server)[:2] == ["Hi", "I am **b**."]
    assert "Remembered" not in run(html, "%ollama keep b")[0]
    run(html, "%ollama undo")  # the turn
    assert "the choice of b" in run(html, "%ollama undo")[0]
    assert turns(html)[0] == ("Hi", "a", ["b"])
    run(html, "%ollama redo")
    assert turns(html)[0] == ("Hi", "b", ["a"])
    for wrong, line in (
        ("z", "z has no answer there; the newest turn with several has a, b."),
        ("", "needs the model"),
    ):
        assert line in str(run(html, f"%ollama keep {wrong}")[1])
    assert output is not None


def test_the_output_shows_the_choice(html: Any) -> None:
    """The answers' own output shows which one is remembered, when another is chosen."""
    with capture_output() as shown:
        html.run_cell(ASK)
        html.run_cell("%ollama keep 2")
    page = shown.outputs[-2].data["text/html"]
    assert "<strong>b</strong> <small>· remembered</small>" in page
    assert "%ollama keep a<" in page
    assert shown.outputs[-2].metadata["ollama_magic"]["column"] == 2
    assert ollama_magic.last.model == "b"


def test_last_follows_undo_and_redo_of_a_choice(html: Any) -> None:
    """`last` is the answer that counts: after `keep`, and after it was undone and redone."""
    html.run_cell(ASK)
    html.run_cell("%ollama keep b")
    for command, model in (("undo", "a"), ("redo", "b")):
        run(html, f"%ollama {command}")
        assert ollama_magic.last.model == turns(html)[0][1] == model


def _texts(server: ScriptedServer) -> list[str]:
    asked = [request.json for request in server.requests if request.path == "/api/chat"]
    return [message["content"] for message in asked[-1]["messages"]]


def test_one_that_fails_hurts_no_other(html: Any, server: ScriptedServer) -> None:
    """A model that is missing says so in its column; the first answer with text is remembered, the cell succeeds."""
    output, error = in_cell(html, "x", "%%chat -m missing -m b -m c\nHi")
    assert error is None
    plain = output.data["text/plain"]
    assert plain.startswith('## missing\n\n[failed: No model "missing" at ')
    assert plain.endswith("## b\n\nI am **b**.\n\n## c\n\nI am **c**.")
    assert "failed</strong>: No model" in output.data["text/html"]
    assert turns(html) == [("Hi", "b", ["c"])]
    assert ollama_magic.last.model == "b"
    assert sorted(sent_models(server)) == ["b", "c"]


def test_all_fail(html: Any) -> None:
    """If no answer is complete the cell fails with the first error, and what the cell had before counts."""
    in_cell(html, "x", ASK)
    _, error = in_cell(html, "x", "%%chat -m missing -m none\nHi")
    assert str(error).startswith('No model "missing"')
    assert turns(html) == [("Hi", "a", ["b"])]


def test_run_again_replaces_the_group(html: Any, answers: Answers) -> None:
    """Running the cell again replaces all its answers, undo brings all back, diff compares with what counted."""
    in_cell(html, "x", ASK)
    run(html, "%ollama keep b")
    answers.texts = {"a": "New a.", "b": "New b."}
    in_cell(html, "x", "%%chat -m a -m c\nHi")
    assert turns(html) == [("Hi", "a", ["c"])]
    assert run(html, "%ollama diff")[0].rstrip().endswith("b → a\n\n[-I am **b**.-]\n\n{+New a.+}")
    run(html, "%ollama undo")
    assert turns(html) == [("Hi", "b", ["a"])]
    in_cell(html, "x", "%%chat\nHi")
    assert turns(html) == [("Hi", "b", [])]  # the conversation goes on with the model that was chosen


@pytest.mark.parametrize(("parallel", "waiting"), [(1, 3), (4, 0)])
def test_the_columns_take_turns(html: Any, parallel: int, waiting: int) -> None:
    """On a server that takes one at a time the others say whom it answers meanwhile; if it takes four, none waits."""
    shared = [replace(model, weights_digest="sha256:" + "a" * 64) for model in MODELS]
    release = threading.Event()

    def slow(_: Any) -> Iterator[str]:
        yield "One "
        release.wait(5)
        yield "two."

    with ScriptedServer(models=shared, parallel=parallel, answers=slow) as one_at_a_time:
        html.run_cell(f"%%chat -m a -m b -m c -m d -b --out four --host {one_at_a_time.url}\nHi")
        four = html.user_ns["four"]
        answering = _wait_for(lambda: [reply.model for reply in four if reply.text], parallel)
        waits = _wait_for(lambda: [reply.status.waiting for reply in four if reply.status.waiting], waiting)
        release.set()
        for handle in html.magics_manager.registry["OllamaMagic"].session.running():
            handle.wait()
        html.run_cell("%unload_ext ollama_magic")  # what is looked up behind the turns ends before its server
    assert len(answering) == parallel
    assert waits == [f"waiting while {answering[0]} answers"] * waiting
    assert [reply.text for reply in four] == ["One two."] * 4
    assert [reply.status.waiting for reply in four] == [""] * 4


def _wait_for(found: Callable[[], list[str]], count: int) -> list[str]:
    """What is found when there are so many of them, or after five seconds."""
    end = time.monotonic() + 5
    while len(found()) < count and time.monotonic() < end:
        time.sleep(0.01)
    return found()


@pytest.mark.parametrize(
    ("cell", "line"),
    [
        ("%%chat -m a -m a\nHi", "a stands there twice; name it once."),
        ("%%chat -m a -m b -t f\nHi", "Tools go with one model"),
        ("%%chat -m a -m b -f json --into x\nHi", "--into binds the value of one answer"),
        ("%%chat -m a -m b --host http://x --host http://y --host http://z\nHi", "2 -m and 3 --host do not pair"),
    ],
)
def test_what_is_refused(html: Any, server: ScriptedServer, cell: str, line: str) -> None:
    """What several models cannot do is refused in one line, before anything is sent."""
    html.run_cell("def f() -> str:\n    'Say it.'\n    return ''")
    _, error = run(html, cell)
    assert str(error).startswith(line)
    assert sent_models(server) == []


def test_nothing_is_remembered_of_single_answers(html: Any) -> None:
    """`%%generate` and `--once` ask several models as well, and nothing of it is remembered or can be chosen."""
    for cell in ("%%generate -m a -m b\nHi", "%%chat -m a -m b --once\nHi"):
        output, error = in_cell(html, "x", cell)
        assert error is None
        assert output.data["text/plain"].startswith("## a\n\n")
        assert "ollama keep" not in output.data["text/html"]
    assert turns(html) == []
    assert str(run(html, "%ollama keep b")[1]).startswith("No turn of this conversation has answers side by side")


def test_single_answers_of_one_cell_hurt_no_other(html: Any, answers: Answers) -> None:
    """The columns of `--once`, and the single answers of one cell in the background, are made beside each other."""
    both = threading.Barrier(2, timeout=10)

    def answer(body: Any) -> list[str]:
        both.wait()
        return [f"I am {body['model']}."]

    answers.texts |= {"a": answer, "b": answer}
    in_background = "found = []\nfor name in 'ab':\n    one = %chat --once -b -m {{name}} Hi\n    found.append(one)\n"
    wait = "import time\nwhile any(one.state == 'running' for one in found):\n    time.sleep(0.01)"
    columns = ["%%chat --once -m a -m b --out found\nHi", "%%generate -m a -m b --out found\nHi"]
    for cell in (*columns, in_background + wait):
        in_cell(html, "x", cell)
        assert [reply.state for reply in html.user_ns["found"]] == ["complete", "complete"]


def test_text_streams_one_below_the_other(shell: Any) -> None:
    """In a terminal each answer stands below its heading, in the order of the line; a line gives the list."""
    printed, error = run(shell, "both = %chat -m b -m missing -m a Hi")
    assert error is None
    assert printed.startswith('## b\n\nI am **b**.\n\n## missing\n\n[failed: No model "missing"')
    assert printed.endswith("\n\n## a\n\nI am **a**.\n")
    assert [reply.model for reply in shell.user_ns["both"]] == ["b", "missing", "a"]


def test_saved_answers_are_shown(html: Any, server: ScriptedServer) -> None:
    """With `rerun = "reuse"` a model whose request is unchanged shows its saved answer; only the others are asked."""
    html.run_cell("%config OllamaMagic.rerun = 'reuse'")
    in_cell(html, "x", ASK)
    output, _ = in_cell(html, "x", "%%chat -m b -m c -m a\nHi")
    assert sorted(sent_models(server)) == ["a", "b", "c"]
    assert output.data["text/html"].count("kept answer: nothing it depends on has changed") == 2
    assert turns(html) == [("Hi", "b", ["c", "a"])]


def test_saved_answers_of_two_hosts(html: Any, server: ScriptedServer) -> None:
    """One model on two hosts shows the saved answer of each; a host that has not answered yet is asked."""
    html.run_cell("%config OllamaMagic.rerun = 'reuse'")
    with ScriptedServer(pace=0, models=MODELS[:1], answers=lambda _: ["From afar."]) as other:
        in_cell(html, "y", f"%%chat -m a --host {server.url}\nHi")
        for cell in "xxy":
            output, _ = in_cell(html, cell, f"%%chat -m a --host {server.url} --host {other.url}\nHi")
            assert output.data["text/plain"].split("\n\n")[1::2] == ["I am **a**.", "From afar."]
        assert (sent_models(server), sent_models(other)) == (["a", "a"], ["a", "a"])


def test_two_hosts(html: Any, server: ScriptedServer) -> None:
    """Each `-m` has its `--host`, in their order; the headings name the hosts, and one model may stand on both."""
    with ScriptedServer(pace=0, models=MODELS[:1], answers=lambda _: ["From afar."]) as other:
        output, error = in_cell(html, "x", f"%%chat -m a -m a --host {server.url} --host {other.url}\nHi")
        assert error is None
        parts = output.data["text/plain"].split("\n\n")
        assert parts == [f"## a on {server.url}", "I am **a**.", f"## a on {other.url}", "From afar."]
        assert str(run(html, "%ollama keep a")[1]).startswith("a has answered more than once; choose a column:")
        run(html, "%ollama keep 2")
    in_cell(html, "y", "%%chat\nNext")
    assert _texts(server)[1] == "From afar."


def test_values_of_a_format(html: Any, answers: Answers) -> None:
    """With a format each answer is validated; what is none says so in its column, and none at all fails the cell."""
    answers.texts = {"a": "[1]", "b": '["x"]'}
    output, error = in_cell(html, "x", "%%chat -m a -m b -f list[int] --out both\nHi")
    assert error is None
    assert html.user_ns["both"][0].value == [1]
    assert "The answer is no list[int]" in output.data["text/html"]
    answers.texts["a"] = "no"
    _, error = in_cell(html, "x", "%%chat -m a -m b -f list[int]\nHi")
    assert isinstance(error, ollama_magic.OllamaMagicError)


def test_a_restart_finds_them(html: Any, tmp_path: Path, server: ScriptedServer) -> None:
    """A kernel that starts anew finds the answers and the choice; erased with their turn, no byte of them is left."""
    store, notebook = tmp_path / "store.sqlite", tmp_path / "n.ipynb"
    cell = {"cell_type": "code", "id": "x", "metadata": {}, "outputs": [], "source": ASK, "execution_count": None}
    notebook.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}), "utf8")
    settings = [("store", False), ("notebook", str(notebook)), ("store", str(store)), ("display", "html")]
    for name, value in settings:
        run(html, f"%config OllamaMagic.{name} = {value!r}")
    in_cell(html, "x", ASK)
    run(html, "%ollama keep b")
    run(html, "%unload_ext ollama_magic")
    run(html, "%load_ext ollama_magic")
    run(html, "%config OllamaMagic.display = 'html'")
    assert turns(html) == [("Hi", "b", ["a"])]
    in_cell(html, "y", "%%chat\nNext")
    assert _texts(server)[1] == "I am **b**."
    run(html, "%ollama forget 1 --erase")
    assert turns(html) == [("Next", "b", [])]
    left = [path.name for path in tmp_path.iterdir() if b"I am **a" in path.read_bytes()]
    assert left == []


def test_stop_of_the_cell_stops_all(html: Any, answers: Answers, server: ScriptedServer) -> None:
    """■ stops all columns and keeps their texts; the stop of one column stops that one, and the others end."""

    def endless(_: Any) -> Iterator[str]:
        for number in range(100_000):
            yield f"{number} "

    answers.texts = {"a": endless, "b": endless}
    html.run_cell("%%chat -m a -m b -b --out both\nHi")
    _wait_for(lambda: [reply.text for reply in html.user_ns["both"] if reply.text], 2)
    session = html.magics_manager.registry["OllamaMagic"].session
    next(handle for handle in session.running() if handle.reply.model == "a").stop()
    answers.texts["b"] = "unused"
    assert _wait_for(lambda: [one.state for one in html.user_ns["both"] if one.state == "stopped"], 1) == ["stopped"]
    assert html.user_ns["both"][1].state == "running"
    assert str(run(html, "%ollama keep b")[1]).endswith("still running; `%ollama stop` ends it, then choose again.")
    session.stop_all()

    def interrupt() -> None:
        _wait_for(lambda: [handle.reply.text for handle in session.running() if handle.reply.text], 2)
        _thread.interrupt_main()

    answers.texts = {"a": endless, "b": endless}
    thread = threading.Thread(target=interrupt)
    thread.start()
    _, error = run(html, "%%chat -m a -m b --out both\nHi")
    thread.join()
    assert str(error) == "Stopped; the texts so far are kept."
    assert [reply.state for reply in html.user_ns["both"]] == ["stopped", "stopped"]
    assert session.running() == []


def test_the_next_turn_waits_for_all(html: Any, answers: Answers, server: ScriptedServer) -> None:
    """The next turn of the conversation waits for all columns, and is sent after the first one alone."""
    release = threading.Event()

    def slow(_: Any) -> Iterator[str]:
        release.wait(5)
        yield "late"

    answers.texts = {"b": slow}
    html.run_cell("%%chat -m a -m b -b --out both\nHi")
    _wait_for(lambda: [reply.state for reply in html.user_ns["both"] if reply.state == "complete"], 1)
    html.run_cell("%%chat -m a -b --out next\nNext")
    waits = _wait_for(lambda: [said for one in [html.user_ns["next"]] if (said := one.status.waiting)], 1)
    assert waits == ["waiting for the turn before"]
    assert "That turn is still running" in str(run(html, "%ollama keep b")[1])
    release.set()
    _wait_for(lambda: [html.user_ns["next"].text][: bool(html.user_ns["next"].text)], 1)
    assert _texts(server) == ["Hi", "I am **a**.", "Next"]
    assert [reply.text for reply in html.user_ns["both"]] == ["I am **a**.", "late"]
