"""Turns belong to cells: a shell that is told which cell runs, and which are gone, as JupyterLab tells it."""

import itertools
import re

import pytest
from IPython.utils.capture import capture_output

from ollama_magic.conversation.record import REUSED
from ollama_magic.line.cell_source import read_cell
from tests.answers import chats
from tests.double import Fault, ScriptedServer
from tests.shells import loaded_shell


def answers(body):
    """Say what was asked, and how many times this server was asked."""
    return [f"answer {next(COUNT)} to {body['messages'][-1]['content'].strip()}"]


COUNT = itertools.count(1)


class Notebook:
    """Runs cells by their id."""

    def __init__(self, server, shell):
        self.server, self.shell, self.executions = server, shell, itertools.count(1)
        self.session = self.shell.magics_manager.registry["OllamaMagic"].session

    def run(self, cell, source, deleted=()):
        parent = {"header": {"msg_id": str(next(self.executions))}, "metadata": {"cellId": cell}}
        parent["metadata"]["deletedCells"] = list(deleted)
        self.shell.get_parent = lambda: parent
        with capture_output() as shown:
            result = self.shell.run_cell(source)
        self.html = "".join(out.data.get("text/html", "") for out in shown.outputs)
        self.shown = shown.stdout + "".join(out.data["text/plain"] for out in shown.outputs)
        return result.error_in_exec

    def chat(self, cell, prompt, deleted=(), options=""):
        return self.run(cell, f"%%chat {options}\n{prompt}", deleted)

    def command(self, line):
        return self.run(None, f"%ollama {line}")

    def prompts(self, name=None):
        return [turn.prompt for turn in self.session.conversation(name).turns]

    def sent(self):
        return [m["content"] for m in chats(self.server)[-1].json["messages"] if m["role"] == "user"]


@pytest.fixture
def notebook(monkeypatch):
    with ScriptedServer(pace=0, answers=answers) as server:
        monkeypatch.setenv("OLLAMA_HOST", server.url)
        with loaded_shell() as shell:
            yield Notebook(server, shell)


@pytest.fixture
def three(notebook):
    for cell, prompt in zip("ABC", ("one", "two", "three"), strict=True):
        notebook.chat(cell, prompt)
    return notebook


def test_running_again_replaces_in_place(three):
    """A cell that runs again is sent what stands above it, and its turn takes the old one's place."""
    three.chat("B", "two, edited")
    assert three.sent() == ["one", "two, edited"]
    assert three.prompts() == ["one", "two, edited", "three"]
    three.chat("D", "four")
    assert three.sent() == ["one", "two, edited", "three", "four"]


def test_restart_and_run_all_is_not_doubled(three):
    """Running all cells again gives the same conversation."""
    for cell, prompt in zip("ABC", ("one", "two", "three"), strict=True):
        three.chat(cell, prompt)
    assert three.prompts() == ["one", "two", "three"]
    assert three.sent() == ["one", "two", "three"]


def test_later_answers_are_told_to_be_older(three):
    """When an earlier turn changes, its footer and the history say which answers did not know of it."""
    three.chat("A", "one, edited")
    assert "2 later answers are older than this" in three.shown
    three.command("history")
    assert three.shown.count("older than a turn above") == 2


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("%%chat -m nosuch\nagain", "ModelNotFound"),
        ("%%chat --nope\nagain", "InputError"),
        ("%%chat\n", "InputError"),
    ],
)
def test_a_refused_cell_keeps_what_it_had(three, source, kind):
    """A cell that is refused remembers nothing; its old turn counts again and stands under the error."""
    error = three.run("B", source)
    assert type(error).__name__ == kind
    assert three.prompts() == ["one", "two", "three"]
    assert "the answer from before still counts" in three.shown
    assert "to two" in three.shown


def test_a_kept_json_answer_is_shown_as_json(notebook):
    """JSON that still counts stands under the error as code, laid out, as it stood before."""
    notebook.server.faults.append(Fault("script", script=('{"a":1}',)))
    notebook.chat("A", "numbers", options="-f json")
    notebook.run("A", "%%chat --nope\nnumbers")
    assert "the answer from before still counts" in notebook.html
    assert '{\n  "a": 1\n}' in re.sub("<[^>]*>", "", notebook.html).replace("&quot;", '"')


def test_a_failure_before_any_text_brings_the_old_back(three):
    """A turn that fails before any text leaves the old one in its place; one that fails later replaces it."""
    three.server.faults.append(Fault("error_first"))
    assert three.chat("B", "again") is not None
    assert three.prompts() == ["one", "two", "three"]
    three.server.faults.append(Fault("error_line", after=1))
    three.chat("B", "again and again")
    assert three.prompts() == ["one", "again and again", "three"]


def test_a_cell_that_no_longer_chats_has_no_turns(three):
    """A cell that holds code now, or asks with --once, takes its turns along."""
    three.run("B", "x = 1")
    assert three.prompts() == ["one", "three"]
    three.chat("A", "one", options="--once")
    assert three.prompts() == ["three"]
    three.chat("B", "two is back")
    assert three.prompts() == ["two is back", "three"]


def test_a_loop_makes_turns_in_sequence(three):
    """Several turns of one execution belong together, and are replaced together."""
    three.run("B", "for word in ('x', 'y'):\n    %chat {{word}}")
    assert three.prompts() == ["one", "x", "y", "three"]
    three.run("B", "%chat only z")
    assert three.prompts() == ["one", "only z", "three"]


def test_deleted_cells_are_set_aside_once(three):
    """A deleted cell's turn is no longer sent; requests that were queued together name it only once."""
    three.chat("D", "four", deleted=["B"])
    assert three.sent() == ["one", "three", "four"]
    three.chat("B", "two is back", deleted=["B"])
    assert three.prompts() == ["one", "two is back", "three", "four"]
    three.chat("E", "five", deleted=["B"])
    assert three.sent() == ["one", "two is back", "three", "four", "five"]


def test_a_cell_that_comes_back_is_remembered_when_it_fails(three):
    """A cell whose deletion was undone runs and is refused: what it had counts again."""
    three.run("X", "1", deleted=["B"])
    assert three.prompts() == ["one", "three"]
    three.run("B", "%%chat --nope\nx")
    assert three.prompts() == ["one", "two", "three"]


def test_without_ids_turns_are_appended(notebook):
    """Where no cell has an id every turn is a new one."""
    for _ in range(2):
        notebook.chat(None, "same")
    assert notebook.prompts() == ["same", "same"]


def test_undo_takes_back_what_an_execution_did(three):
    """Undo of a re-run gives the old answer back, undo of a plain turn takes it, redo gives both again."""
    three.chat("B", "edited")
    three.command("undo")
    assert three.prompts() == ["one", "two", "three"]
    three.command("undo")
    assert three.prompts() == ["one", "two"]
    three.command("redo")
    three.command("redo")
    assert three.prompts() == ["one", "edited", "three"]


def test_forget_and_clear_can_be_taken_back(three):
    """What was forgotten or cleared is not sent, and undo brings it back."""
    three.command("forget 2")
    assert three.prompts() == ["one", "three"]
    three.command("clear")
    assert three.prompts() == []
    three.command("undo")
    three.command("undo")
    assert three.prompts() == ["one", "two", "three"]


@pytest.mark.parametrize("line", ["forget", "forget 9", "forget x", "undo now", "switch"])
def test_bad_commands_are_one_line(three, line):
    """A command that cannot be done says why in one line."""
    error = three.command(line)
    assert type(error).__name__ == "InputError"
    assert three.prompts() == ["one", "two", "three"]


def test_conversations_run_apart(three):
    """-c and switch have turns of their own; a cell may move from one to the other."""
    three.chat("D", "elsewhere", options="-c side")
    assert (three.sent(), three.prompts("side")) == (["elsewhere"], ["elsewhere"])
    three.chat("D", "back home")
    assert (three.prompts("side"), three.prompts()) == ([], ["one", "two", "three", "back home"])
    three.command("switch side")
    three.chat("E", "again")
    assert three.sent() == ["again"]
    three.command("conversations")
    assert "main" in three.shown
    assert "side" in three.shown


def test_turns_limits_what_is_sent(three):
    """--turns N sends the last N turns, says what it left out, and forgets nothing."""
    three.chat("D", "four", options="--turns 1")
    assert three.sent() == ["three", "four"]
    assert "2 earlier turns left out by --turns" in three.shown
    assert three.prompts() == ["one", "two", "three", "four"]
    three.chat("D", "four", options="--turns 0")
    assert three.sent() == ["four"]


def test_a_background_turn_of_the_cell_is_stopped_first(three):
    """A cell that runs again stops its own background turn, and the new one takes its place."""
    three.server.faults.append(Fault("endless"))
    three.chat("B", "long", options="-b")
    (handle,) = three.session.running()
    while not handle.reply.status.chunks:
        pass
    three.chat("B", "short")
    assert handle.reply.state == "stopped"
    assert three.prompts() == ["one", "short", "three"]


@pytest.mark.parametrize(("source", "state"), [("1 + 1", "stopped"), ("%%chat --nonsense\nHi", "running")])
def test_a_background_turn_of_a_cell_that_no_longer_chats(three, source, state):
    """A cell that runs again without a turn stops the background turn that it sets aside; a refused one does not."""
    three.server.faults.append(Fault("endless"))
    three.chat("B", "long", options="-b")
    (handle,) = three.session.running()
    while not handle.reply.status.chunks:
        pass
    three.run("B", source)
    assert handle.reply.state == state
    assert ("long" in three.prompts()) == (state == "running")


def test_a_kept_answer_has_its_counts(three):
    """The reply of a kept answer says why it ended and how many tokens it has, as the reply of the first run did."""
    three.run(None, "%config OllamaMagic.rerun = 'reuse'")
    three.chat("C", "three", options="--out kept")
    first, kept = three.session.journal.turns("main")[-1].outcome, three.shell.user_ns["kept"]
    assert (kept.notes, kept.stats, kept.done_reason) == ((REUSED,), first.stats, "stop")


def test_reuse_shows_the_kept_answer_while_nothing_changed(three):
    """With rerun = "reuse" an unchanged cell costs nothing; an edited one is asked, and so is what stands below it."""
    three.run(None, "%config OllamaMagic.rerun = 'reuse'")
    asked = len([one for one in three.server.requests if one.path == "/api/chat"])
    three.chat("B", "two")
    assert "to two" in three.shown
    assert "kept answer" in three.shown
    assert three.shown.count("to two") == 1
    assert "still counts" not in three.shown
    assert len([one for one in three.server.requests if one.path == "/api/chat"]) == asked
    assert three.prompts() == ["one", "two", "three"]
    three.chat("A", "one, edited")
    three.chat("B", "two")
    assert three.sent() == ["one, edited", "two"]
    assert three.prompts() == ["one, edited", "two", "three"]


def test_undo_and_go_on_without_requests(notebook):
    """In a plain shell too a cell is a step of its own, and after undo the conversation goes on."""
    vars(notebook.shell).pop("get_parent", None)
    for prompt in ("one", "two", "three"):
        notebook.shell.run_cell(f"%%chat\n{prompt}")
    notebook.shell.run_cell("%ollama undo")
    assert notebook.prompts() == ["one", "two"]
    notebook.shell.run_cell("%chat four")
    assert notebook.prompts() == ["one", "two", "four"]


def test_undo_says_how_much_it_takes_back(three):
    """What one execution, or one command, did is one step; all of its turns are counted."""
    three.run("D", "for word in ('four', 'five'):\n    %chat {{word}}")
    three.command("undo")
    assert "Undone: the answers to 2 prompts, the last of which is «five»." in three.shown
    three.command("undo")
    assert "Undone: the answer to «three»." in three.shown


def test_undo_and_go_on_in_one_cell(notebook):
    """A cell that asks, takes it back and asks again has one turn."""
    notebook.run("A", "%chat one\n%ollama undo\n%chat two")
    assert notebook.prompts() == ["two"]


@pytest.mark.parametrize("body", ["one", "one\n", "one\n\n", "\n  one\n \n", "", "\n"])
@pytest.mark.parametrize("first", ["%%chat", "%%chat so", "\n%%chat"])
def test_a_file_has_the_prompt_that_was_sent(notebook, first, body):
    """However many lines end a cell, its prompt is read from the notebook's file as the magic read it."""
    source = f"{first}\n{body}"
    found = read_cell(source)
    notebook.run("A", source)
    assert notebook.prompts() == ([found.prompt] if found.prompt.strip() else [])
