"""`%%map`: what the cell binds, says and shows, in the background and after a stop."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from ollama_magic.errors import InputError, TurnStopped
from tests.shells import loaded_shell, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from IPython.core.interactiveshell import InteractiveShell


@pytest.fixture
def shell(quick) -> Iterator[InteractiveShell]:
    """A shell whose server answers with the prompt; `shell.server` is that server."""
    server = quick()
    with loaded_shell() as shell:
        shell.user_ns.update(Mood=dict, reviews=[{"text": "fine"}, {"text": "bad"}], topic="tea", text="hidden")
        shell.server = server
        yield shell


def test_a_cell_binds_the_frame_and_says_what_it_is_filled_with(shell) -> None:
    """The line above says which names are columns and which are variables; the summary has the first rows."""
    shown, error = run(shell, "%%map reviews --into labelled --out results\nOf {{topic}}: {{text}}")
    assert error is None
    assert shown.startswith("text from the rows\nfilled topic\n")
    assert "reviews: 2 answers." in shown
    assert "Of tea: fine" in shown
    labelled = shell.user_ns["labelled"]
    assert isinstance(labelled, pd.DataFrame)
    assert list(labelled["answer"]) == ["Of tea: fine", "Of tea: bad"]
    assert shell.user_ns["results"].values == list(labelled["answer"])
    assert shown.count("\n") < 12


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("# mine\n%%map reviews\n{{text}}", "`%%map` must begin the cell; put the comment below it"),
        ("x = 1\n%%map reviews\n{{text}}", "`%%map` must begin the cell; give it a cell of its own"),
        ("%%map\n{{text}}", "takes one variable that holds the rows"),
        ("%%map nothing\n{{text}}", "nothing: no such variable; put the rows into a variable first"),
        ("%%map topic\n{{text}}", "Rows are a frame, or a list"),
        ("%%map reviews\n", "There is no prompt"),
        ("%%map reviews -b --into x\n{{text}}", "leave out --background"),
        ("%%map reviews --out x --into x\n{{text}}", "both bind x"),
        ("%%map reviews --timeout 0\n{{text}}", "is not a number of seconds"),
        ("%%map reviews --concurrency 0\n{{text}}", "must be at least 1"),
        ("%%map reviews --into 1\n{{text}}", "is not a variable name"),
        ("%%map reviews -m nobody\n{{text}}", "nobody"),
        ("%%map reviews {{text}}\nx", "the prompt is below"),
    ],
)
def test_a_cell_that_is_no_map_is_refused(shell, cell, said) -> None:
    """One line says what is wrong, and no prompt is sent."""
    _, error = run(shell, cell)
    assert error is not None
    assert said in str(error)
    assert shell.server.total == 0


@pytest.mark.parametrize(
    "rows", ["shops['by year']", 'shops["by year"]', "shops['by year'] -f json", "-b shops['by year']"]
)
def test_rows_are_an_item_of_a_variable(shell, rows) -> None:
    """The quotes and spaces in a bracket belong to the name of the rows."""
    shell.user_ns["shops"] = {"by year": [{"text": '"fine"'}]}
    _, error = run(shell, f"%%map {rows} --out results\n{{{{text}}}}")
    assert error is None
    assert shell.user_ns["results"].wait()[0].text == '"fine"'


def test_a_cell_in_the_background_returns_at_once(shell) -> None:
    """`-b` binds the results while the rows come in; they are awaited where they are read."""
    free = threading.Event()

    async def answer(prompt: str) -> str:
        await asyncio.to_thread(free.wait, 30)
        return prompt

    shell.server.answer = answer
    _, error = run(shell, "%%map reviews -b --out results\n{{text}}")
    assert error is None
    assert shell.user_ns["results"].state == "running"
    free.set()
    assert shell.user_ns["results"].values == ["fine", "bad"]


def test_an_interrupt_keeps_what_is_done_and_frees_the_server(shell) -> None:
    """■ ends the cell with one line, binds what is done, and closes every connection; retry asks for the rest."""
    held = threading.Event()

    async def answer(prompt: str) -> str:
        await asyncio.sleep(60 if prompt == "bad" and not held.is_set() else 0)
        return prompt

    shell.server.answer = answer

    def interrupt() -> None:
        import _thread

        end = time.monotonic() + 10
        while time.monotonic() < end and not shell.user_ns.get("results", ()):
            time.sleep(0.01)
        results = shell.user_ns["results"]
        while time.monotonic() < end and results[0].state != "complete":
            time.sleep(0.01)
        _thread.interrupt_main()

    thread = threading.Thread(target=interrupt)
    thread.start()
    _, error = run(shell, "%%map reviews --into labelled --out results\n{{text}}")
    thread.join()
    assert isinstance(error, TurnStopped)
    assert "1 of 2 done" in str(error)
    assert list(shell.user_ns["labelled"]["state"]) == ["complete", "waiting"]
    end = time.monotonic() + 5
    while not shell.server.left and time.monotonic() < end:
        time.sleep(0.01)
    assert shell.server.left == 1
    held.set()
    assert shell.user_ns["results"].retry().values == ["fine", "bad"]
    assert shell.server.asked == {"fine": 1, "bad": 2}


def test_an_executor_is_named_by_its_variable(shell) -> None:
    """`--executor` takes a variable of the notebook; one that is none, or runs nothing, is one line."""
    _, error = run(shell, "%%map reviews --executor pool\n{{text}}")
    assert "put the executor into" in str(error)
    _, error = run(shell, "%%map reviews --executor topic\n{{text}}")
    assert "executor is a concurrent.futures.Executor" in str(error)
    with ThreadPoolExecutor(1) as shell.user_ns["pool"]:
        shown, error = run(shell, "%%map reviews --executor pool --into labelled\n{{text}}")
    assert error is None
    assert "reviews: 2 answers." in shown
    assert list(shell.user_ns["labelled"]["answer"]) == ["fine", "bad"]


def test_help_and_unknown_options(shell) -> None:
    """`--help` has the options of a map; an unknown one is refused with the nearest."""
    shown, error = run(shell, "%%map --help\n")
    assert error is None
    assert "--concurrency N" in shown
    assert "--verbatim" not in shown
    _, error = run(shell, "%%map reviews --concurency 2\n{{text}}")
    assert isinstance(error, InputError)
    assert "did you mean --concurrency?" in str(error)


def test_the_notebooks_own_store_has_the_answers(shell, tmp_path: Path) -> None:
    """In a notebook that is known no file has to be named: after a restart nothing is asked for."""
    (tmp_path / "n.ipynb").write_text('{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}')
    settings = [("store", tmp_path / "store.sqlite"), ("notebook", tmp_path / "n.ipynb")]
    setup = "\n".join(f"%config OllamaMagic.{name} = {str(value)!r}" for name, value in settings)
    for known in ("", " (2 kept from before)"):
        run(shell, setup)
        shown, error = run(shell, "%%map reviews\n{{text}}")
        assert error is None
        assert f"reviews: 2 answers{known}." in shown
        shell.run_line_magic("reload_ext", "ollama_magic")
    assert shell.server.total == 2
