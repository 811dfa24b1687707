"""The magics in a shell of their own, talking to the demo server."""

import math
import os

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets import TraitError

import ollama_magic
from tests.answers import chats
from tests.double import ScriptedServer
from tests.shells import loaded_shell, run


@pytest.fixture(scope="module")
def server():
    with ScriptedServer(pace=0) as running:
        yield running


def sent(server):
    return chats(server)[-1].json["messages"]


def test_a_chat_cell_answers_and_is_remembered(shell, server):
    """A cell that begins with %%chat gets an answer, and the next cell sends both along."""
    text, error = run(shell, "%%chat\nMy name is Ada.")
    assert error is None
    assert "Ada" in text
    text, _ = run(shell, "%chat What is my name?")
    assert "Ada" in text
    assert [m["role"] for m in sent(server)] == ["user", "assistant", "user"]
    assert ollama_magic.last.status.turns_sent == 2


def test_an_assigned_chat_gives_the_reply(shell):
    """`r = %chat …` binds the reply, `--out` binds it too, and a cell magic returns nothing."""
    run(shell, "r = %chat Hello there?")
    assert shell.user_ns["r"].state == "complete"
    result = shell.run_cell("%%chat --out answer\nHello there?")
    assert result.result is None
    assert shell.user_ns["answer"] is ollama_magic.last


def test_once_leaves_no_trace(shell, server):
    """`--once` sends the prompt alone and is not remembered."""
    run(shell, "%%chat\nMy name is Ada.")
    run(shell, "%%chat --once\nWhat is my name?")
    assert len(sent(server)) == 1
    assert len(shell.run_line_magic("ollama", "\0=history")) == 1


def test_the_options_reach_the_server(shell, server):
    """System text, model options, thinking and keep-alive of a turn are in its request."""
    run(shell, '%%chat -s "Be brief." -o temperature=0.5 -o seed=7 --think --keep-alive 5m\nHello')
    body = chats(server)[-1].json
    assert body["messages"][0] == {"role": "system", "content": "Be brief."}
    assert body["options"] == {"temperature": 0.5, "seed": 7}
    assert (body["think"], body["keep_alive"]) == (True, "5m")


@pytest.mark.parametrize(("setting", "sent_time"), [("0", 0), ("-1", -1), ("'5m'", "5m"), ("''", None)])
def test_the_setting_of_the_time_reaches_the_server(shell, server, setting, sent_time):
    """0 unloads the model at once and is no empty setting, which leaves the time to the server."""
    run(shell, f"%config OllamaMagic.keep_alive = {setting}")
    for name in ("chat", "generate"):
        run(shell, f"%{name} Hello")
        (*_, asked) = [request for request in server.requests if request.path == f"/api/{name}"]
        assert asked.json.get("keep_alive") == sent_time


def test_settings_are_weaker_than_what_is_told(shell, server):
    """A turn's option beats what the conversation was told, which beats the trait."""
    magics = shell.magics_manager.registry["OllamaMagic"]
    run(shell, "%config OllamaMagic.options = {'seed': 1, 'top_k': 1, 'num_ctx': 512}")
    run(shell, "%ollama set seed 2\n%ollama set top_k 2\n%ollama system Told")
    run(shell, "%%chat -o seed=3\nHello")
    body = chats(server)[-1].json
    assert magics.options["seed"] == 1
    assert body["options"] == {"seed": 3, "top_k": 2, "num_ctx": 512}
    assert body["messages"][0]["content"] == "Told"
    run(shell, "%ollama unset seed top_k system")
    run(shell, "%%chat\nHello")
    assert chats(server)[-1].json["options"]["seed"] == 1
    assert sent(server)[0]["role"] == "user"


def test_unset_takes_all_or_nothing(shell):
    """A name that is not set leaves the others as they are; what one command has unset is one step."""
    run(shell, "%ollama set seed 2\n%ollama set top_k 2\n%ollama system Told")
    assert "not set" in str(run(shell, "%ollama unset seed nothing")[1])
    assert shell.run_line_magic("ollama", "\0=set seed 2") == {"seed": 2, "top_k": 2}
    assert shell.run_line_magic("ollama", "\0=unset seed top_k system seed") == {}
    run(shell, "%ollama undo")
    assert "seed=2" in run(shell, "%ollama")[0]
    assert "top_k=2" in run(shell, "%ollama")[0]
    assert shell.run_line_magic("ollama", "\0=system") == "Told"


def test_undo_passes_over_what_was_erased(shell, server):
    """A turn that was erased is no step any more: undo and redo go on to the next that has something left."""
    run(shell, "%ollama set seed 2")
    run(shell, "%chat My name is Ada.")
    run(shell, "%chat -m demo -m demo-small Hello")
    run(shell, "%ollama keep 2")
    run(shell, "%ollama clear --erase")
    assert "Undone: the change of the options. " in run(shell, "%ollama undo")[0]
    assert "Nothing to undo." in run(shell, "%ollama undo")[0]
    assert "Redone: the change of the options." in run(shell, "%ollama redo")[0]
    assert "Nothing to redo." in run(shell, "%ollama redo")[0]


def test_undo_says_which_setting(shell, server):
    """Undo and redo name what was set: after several settings nobody knows which of them comes next."""
    run(shell, "%ollama model demo\n%ollama system Told\n%ollama set seed 2")
    run(shell, "%ollama unset system seed")
    both = "the change of the system text and the options"
    assert f"Undone: {both}. " in run(shell, "%ollama undo")[0]
    assert f"Redone: {both}." in run(shell, "%ollama redo")[0]
    run(shell, "%ollama undo")
    for which in ("the options", "the system text", "the model"):
        assert f"Undone: the change of {which}. " in run(shell, "%ollama undo")[0]


def test_variables_are_filled_in(shell, server):
    """{{name}} is filled from the notebook and told; --verbatim leaves it alone."""
    shell.user_ns["city"] = "Lima"
    text, _ = run(shell, "%%chat\nWhere is {{city}} and {{ctiy}}?")
    assert sent(server)[-1]["content"] == "Where is Lima and {{ctiy}}?"
    assert "city" in text.partition("\n")[0]
    run(shell, "%%chat --verbatim\nWhere is {{city}}?")
    assert sent(server)[-1]["content"] == "Where is {{city}}?"


BAD_INPUT = [
    ("%%chat\n\n", "InputError", "There is no prompt"),
    ("%%chat -m nosuch\nHi", "ModelNotFound", "nosuch"),
    ("%%chat -m dmo\nHi", "ModelNotFound", "demo"),
    ("%%chat --modle x\nHi", "InputError", "--model"),
    ("%%chat -o num_ctx=big\nHi", "InputError", "whole number"),
    ("%%chat -o temprature=1\nHi", "InputError", "temperature"),
    ("%%chat --host htp://x\nHi", "InputError", "htp"),
    ("%%chat --host http://127.0.0.1:9\nHi", "ServerUnreachable", "127.0.0.1:9"),
    ("%ollama hstory", "InputError", "history"),
    ("%ollama set temperature", "InputError", "value"),
    ("%ollama unset nothing", "InputError", "not set"),
    ("%ollama model nosuch", "ModelNotFound", "nosuch"),
    ("%ollama host http://h:port", "InputError", "port"),
    ("%ollama clear all", "InputError", "clear"),
]


@pytest.mark.parametrize(("cell", "kind", "word"), BAD_INPUT)
def test_bad_input_is_one_readable_line(shell, cell, kind, word):
    """What cannot be done ends the cell with one line that says what happened; the conversation is untouched."""
    text, error = run(shell, cell)
    assert type(error).__name__ == kind
    (line,) = error._render_traceback_()
    assert word in line
    assert "\n" not in line
    assert "Traceback" not in text
    assert shell.run_line_magic("ollama", "\0=history") == []


def test_a_model_that_cannot_think_is_refused(monkeypatch):
    """Asking a model without thinking to think is refused before anything is sent."""
    from tests.double import PLAIN

    with ScriptedServer(pace=0, models=[PLAIN]) as plain:
        monkeypatch.setenv("OLLAMA_HOST", plain.url)
        with loaded_shell() as shell:
            _, error = run(shell, "%%chat --think\nHello")
        assert "think" in str(error)
        assert not [request for request in plain.requests if request.path == "/api/chat"]


COMMANDS = ["status", "list", "version", "host", "history", "help", "model", "system"]


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_shows_itself_or_gives_its_data(shell, name):
    """A command shows something and returns nothing; assigned, it shows nothing and gives its data."""
    run(shell, "%chat Hello")
    text, error = run(shell, f"%ollama {name}")
    assert error is None
    assert text.strip()
    text, error = run(shell, f"data = %ollama {name}")
    assert (text, error) == ("", None)
    assert shell.user_ns["data"] is not None


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(shell, name):
    """--help behind a command says how it is used and does nothing else."""
    text, error = run(shell, f"%ollama {name} --help")
    assert error is None
    assert f"%ollama {name}" in text


def test_status_never_fails_for_want_of_a_server(shell, monkeypatch):
    """The status card says that nobody answers instead of failing."""
    monkeypatch.setenv("OLLAMA_HOST", "http://127.0.0.1:9")
    text, error = run(shell, "%ollama status")
    assert error is None
    assert "No Ollama server" in text


def test_clear_begins_anew_and_keeps_the_settings(shell, server):
    """After `clear` no old turn is sent, and model options are as they were told."""
    run(shell, "%ollama set seed 5\n%chat My name is Ada.\n%ollama clear")
    run(shell, "%chat Hello")
    assert len(sent(server)) == 1
    assert chats(server)[-1].json["options"] == {"seed": 5}


def test_help_is_the_option_table(shell):
    """`%%chat --help` and the docstring are made of the same table."""
    text, _ = run(shell, "%%chat --help\n")
    assert "--keep-alive" in text
    assert text.strip() == shell.magics_manager.magics["cell"]["chat"].__doc__.strip()


def test_load_and_unload_are_a_pair(shell):
    """Unloading takes out magics, hook and settings; loading twice changes nothing; loading again works."""

    def state():
        ours = [one for one in shell.configurables if type(one).__name__ == "OllamaMagic"]
        return len(shell.input_transformers_cleanup), len(ours)

    hooks, _ = state()
    ollama_magic.load_ipython_extension(shell)
    assert state() == (hooks, 1)
    shell.run_line_magic("unload_ext", "ollama_magic")
    assert state() == (hooks - 1, 0)
    assert "chat" not in shell.magics_manager.magics["cell"]
    assert ollama_magic.last is None
    shell.run_line_magic("load_ext", "ollama_magic")
    assert run(shell, "%chat Hello")[1] is None


def test_a_chat_magic_of_others_is_given_back(server, monkeypatch):
    """Another extension's %%chat is replaced in so many words, and unloading puts it back."""
    shell = InteractiveShell.instance()
    shell.register_magic_function(lambda line, cell: "theirs", "cell", "chat")
    with capture_output() as shown:
        shell.run_line_magic("load_ext", "ollama_magic")
    assert "%%chat was" in shown.stdout
    shell.run_line_magic("unload_ext", "ollama_magic")
    assert shell.run_cell_magic("chat", "", "x") == "theirs"
    InteractiveShell.clear_instance()


WRONG_SETTINGS = [("display", "movie"), ("options", {"nope": 1}), ("keep_alive", "1d"), ("limits", {"x": 1})]
WRONG_SETTINGS += [("limits", {"look": 10**400}), ("limits", {"silence": math.nan}), ("keep_aside", math.nan)]


@pytest.mark.parametrize(("setting", "value"), WRONG_SETTINGS)
def test_a_setting_of_the_wrong_kind_is_refused(shell, setting, value):
    """A trait takes only what it means, keeps what it had, and says why in one line."""
    magics = shell.magics_manager.registry["OllamaMagic"]
    before = getattr(magics, setting)
    with pytest.raises(TraitError) as caught:
        setattr(magics, setting, value)
    assert len(str(caught.value).splitlines()) == 1
    assert getattr(magics, setting) == before


def test_the_model_that_is_not_given_is_found(shell, server):
    """Without a name the demo's model answers, and the reply says which it was."""
    run(shell, "%chat Hello")
    assert ollama_magic.last.model.startswith("demo")
    assert os.environ["OLLAMA_HOST"] == server.url


def test_what_was_displaced_is_given_back(server, monkeypatch, capsys):
    """A %%chat, %%generate or %ollama of another extension is named when ours takes its place, and is back after."""
    monkeypatch.setenv("OLLAMA_HOST", server.url)
    shell = InteractiveShell.instance()
    try:
        others = {("cell", "generate"): lambda line, cell: None, ("line", "ollama"): lambda line: None}
        for (kind, name), function in others.items():
            shell.register_magic_function(function, kind, name)
        shell.run_line_magic("load_ext", "ollama_magic")
        said = capsys.readouterr().out
        assert said.count("restores it") == 2
        assert f"%%generate was {__name__}'s" in said
        assert f" %ollama was {__name__}'s" in f" {said}".replace("\n", " ")
        shell.run_line_magic("unload_ext", "ollama_magic")
        magics = shell.magics_manager.magics
        assert all(magics[kind][name] is function for (kind, name), function in others.items())
        assert "chat" not in magics["cell"]
    finally:
        InteractiveShell.clear_instance()


@pytest.mark.parametrize("colors", ["nocolor", "linux"])
def test_the_line_of_an_error_follows_ipythons_colours(shell, colors):
    """With `%colors nocolor` no escape stands in the line of an error."""
    run(shell, f"%colors {colors}")
    try:
        (line,) = run(shell, "%ollama model nosuch")[1]._render_traceback_()
    finally:
        run(shell, "%colors nocolor")
    assert ("\x1b" in line) is (colors != "nocolor")
    assert "nosuch" in line
