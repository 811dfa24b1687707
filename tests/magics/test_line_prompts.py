"""Prompts through a real shell, in IPython of today and in the oldest that we promise."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ollama_magic.line.hook import prompt_text
from ollama_magic.line.options import CHAT, read_line
from tests.magics.line_prompts import PROMPTS
from tests.magics.old_ipython import VERSION, old_python

ONE_LINE = [prompt for prompt in PROMPTS if "\n" not in prompt]
SESSION = Path(__file__).with_name("line_session.py")


@pytest.fixture(scope="module", params=["today", VERSION])
def run(request, tmp_path_factory):
    """Run cells in a new process with that IPython."""
    python = sys.executable if request.param == "today" else str(old_python())
    home = str(tmp_path_factory.mktemp("home"))

    def run_cells(cells):
        command = [python, "-W", "ignore", str(SESSION)]
        environ = {"HOME": home, "USERPROFILE": home, "IPYTHONDIR": home, "PYTHONIOENCODING": "utf-8"}
        done = subprocess.run(
            command, input=json.dumps(cells), capture_output=True, text=True, check=False, env=environ
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return run_cells


def read(words, cell=None):
    """Read a call as the magic does, with `--` to begin the prompt."""
    return prompt_text(read_line(CHAT, words).words, cell)


def test_cells_arrive_byte_for_byte(run):
    """The text of a %%chat cell arrives as it was typed, but for the newline at its end."""
    results = run([f"%%chat\n{prompt}\n" for prompt in PROMPTS])
    assert [[kept, error] for kept, _, error in results] == [[True, None]] * len(PROMPTS)
    assert [read(words, cell) for _, [[_, words, cell]], _ in results] == PROMPTS


def test_first_lines_arrive_byte_for_byte(run):
    """Words behind %%chat arrive as they were typed, with the cell below them or alone."""
    prompts = [prompt for prompt in ONE_LINE if not prompt[0].isspace()]
    cells = [f"%%chat --once -- {prompt}\nbody {{x}}?" for prompt in prompts] + [
        f"%%chat {prompt}" for prompt in prompts
    ]
    came = [read(words, cell) for _, [[_, words, cell]], _ in run(cells)]
    assert came == [f"{prompt}\nbody {{x}}?" for prompt in prompts] + prompts


def test_lines_arrive_byte_for_byte(run):
    """The text of %chat arrives as it was typed: as a statement, in a loop, and assigned, which the call knows."""
    prompts = [prompt for prompt in ONE_LINE if not (prompt[0].isspace() or prompt.endswith("\\"))]
    shapes = {
        "%chat {}": False,
        "if 1:\n    %chat {}\nx = 1": False,
        "r = %chat {}": True,
        "d: dict = %chat {}\ny = 2": True,
    }
    results = run([shape.replace("{}", prompt) for prompt in prompts for shape in shapes])
    assert [error for *_, error in results] == [None] * len(results)
    assert [calls for _, calls, _ in results] == [
        [["line", prompt, assigned]] for prompt in prompts for assigned in shapes.values()
    ]


def test_other_magics_pass_their_body_on(run):
    """%%time and %%capture bring the hook to the cell that they hold."""
    cells = [
        "%%time\n%%chat\nwhat is {x}?",
        "%%capture out\nr = %chat what is $x?\nassert r == 'reply'",
        "%time r = %chat why ($x)",
    ]
    results = run(cells)
    assert [error for *_, error in results] == [None] * 3
    assert [calls for _, calls, _ in results] == [
        [["cell", "", "what is {x}?\n"]],
        [["line", "what is $x?", True]],
        [["line", "why ($x)", True]],
    ]


def test_assigned_values_are_bound(run):
    """The right side of an assignment to any target is the magic's value, and a command may stand alone there."""
    cells = [
        "d = {}\nd['k'] = %chat hi?",
        "a = b = %ollama",
        "first, *rest = %ollama list",
        "class X: pass\nX.y = %ollama list",
    ]
    cells.append("assert (d['k'], a, b, first, rest, X.y) == ('reply', 'reply', 'reply', 'r', list('eply'), 'reply')")
    assert [error for *_, error in run(cells)] == [None] * 5
