"""Tab in our magics, as IPython's own completer gives it to a front end."""

from __future__ import annotations

import socket
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
from types import SimpleNamespace

import pandas as pd
import pytest
from IPython.core import completer
from IPython.core.interactiveshell import InteractiveShell

from ollama_magic.commands.command_table import COMMANDS
from ollama_magic.completion import completion
from ollama_magic.completion.server_models import WAIT_S, ModelNames
from ollama_magic.errors import ServerUnreachable
from ollama_magic.line.options import CHAT, read_line
from ollama_magic.ollama.protocol import ModelSummary
from tests.double import PLAIN, ScriptedServer
from tests.shells import loaded_shell


@pytest.fixture(scope="module")
def server():
    with ScriptedServer(pace=0) as running:
        yield running


@pytest.fixture(scope="module")
def loaded(server):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OLLAMA_HOST", server.url)
        with loaded_shell() as shell:
            yield shell


@pytest.fixture
def shell(loaded, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    loaded.reset(new_session=False)
    return loaded


def tab(shell, text, rest=""):
    """What is replaced at the end of the text, and what may stand there."""
    with completer.provisionalcompleter():
        found = shell.Completer.completions(text + rest, len(text))
        found = list(completer.rectify_completions(text + rest, found))
    return (text[found[0].start :] if found else ""), [one.text for one in found]


def offered(shell, text):
    return tab(shell, text)[1]


def models_are_known(shell):
    """Press Tab until the server's models have come: a first Tab waits for nothing longer than a moment."""
    end = time.monotonic() + 30
    while not offered(shell, "%%chat -m ") and time.monotonic() < end:
        time.sleep(0.02)


def test_tab_behind_ollama_offers_every_command(shell):
    """Behind `%ollama ` Tab offers the commands of the table, in its order."""
    assert offered(shell, "%ollama ") == list(COMMANDS)
    assert tab(shell, "%ollama st") == ("st", [name for name in COMMANDS if name.startswith("st")])


@pytest.mark.parametrize(
    "text", ["x = %ollama sw", "if ready: %ollama sw", "x = 1\nfor i in x:\n    %ollama sw", "%ollama \\\n  sw"]
)
def test_tab_in_a_line_magic_anywhere(shell, text):
    """Line magics are completed behind `=` and `:`, below other lines, and where a backslash joins two."""
    assert offered(shell, text) == ["switch"]


def test_tab_behind_map_offers_rows(shell):
    """Behind `%%map ` stand the frames and lists of the notebook, and executors behind `--executor`."""
    shell.user_ns.update(
        reviews=pd.DataFrame({"text": ["a"]}), texts=["a"], rest=(x for x in ()), number=7, word="a", _hidden=[1]
    )
    shell.user_ns.update(stars=pd.Series([1]), pool=ThreadPoolExecutor(1))
    assert offered(shell, "%%map ") == ["reviews", "stars", "rest", "texts"]
    assert tab(shell, "%%map re") == ("re", ["reviews", "rest"])
    assert offered(shell, "%%map reviews --executor ") == ["pool"]
    assert offered(shell, "%%map reviews --exe") == ["--executor"]


def test_tab_offers_options(shell):
    """Behind a dash, and where an option may stand, the options are offered; one that is given already is not."""
    assert offered(shell, "%%chat --th") == ["--think"]
    assert {"--model", "-m", "--once", "--out"} <= set(offered(shell, "%%chat "))
    assert "--once" not in offered(shell, "%%chat -m demo --once --o")
    assert "--no-think" not in offered(shell, "%%chat --think high --")
    assert {"--suffix", "--raw"} <= set(offered(shell, "%%generate -"))


def test_tab_offers_the_values_of_options(shell):
    """Levels of thinking, json, times and true or false are offered where they may stand."""
    assert offered(shell, "%%chat --think ") == ["low", "medium", "high", "max"]
    assert offered(shell, "%%chat --think=m") == ["medium", "max"]
    assert offered(shell, "%%chat -f ") == ["json"]
    assert "5m" in offered(shell, "%%chat --keep-alive ")
    assert tab(shell, "%%chat -o use_mmap=t") == ("t", ["true"])


def test_tab_offers_model_options(shell):
    """Behind -o and `%ollama set` the names of model options are offered, each with its = where it takes one."""
    assert tab(shell, "%%chat -o num_c") == ("num_c", ["num_ctx="])
    assert "temperature=" in offered(shell, "%%chat -m demo -o ")
    assert offered(shell, "%ollama set temp") == ["temperature"]
    assert offered(shell, "%ollama set temperature ") == []


@pytest.mark.parametrize("text", ["%%chat -m ", "%%chat --model=", "%%chat -m", "%ollama model ", "%chat -m de"])
def test_tab_offers_models(shell, text):
    """Model names come from the server: behind -m, attached or not, and behind commands that take a model."""
    models_are_known(shell)
    assert offered(shell, text) == ["demo:latest"] if text != "%%chat -m" else "-m" in offered(shell, text)


@pytest.mark.parametrize("text", ["%chat --host {} -m ", "%%chat --host={} -m ", "%%map rows --host {} -m "])
def test_tab_offers_the_models_of_the_host_on_the_line(shell, text):
    """Behind `--host` the models are those of that server."""
    with ScriptedServer(pace=0, models=[PLAIN]) as other:
        end = time.monotonic() + 30
        while not (found := offered(shell, text.format(other.url))) and time.monotonic() < end:
            time.sleep(0.02)
    assert found == [f"{PLAIN.name}:latest"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("%ollama export ", ["curl", "python", "java"]),
        ("%ollama export curl --t", ["--turn"]),
        ("%ollama rm de", ["demo:latest"]),
        ("%ollama create pirate --from ", ["demo:latest"]),
        ("%ollama create pir", []),
        ("%ollama cp de", ["demo:latest"]),
        ("%ollama load demo --keep-alive 1", ["1h"]),
        ("%ollama start --", ["--log", "--end", "--help"]),
        ("%ollama status -", ["--check", "--help", "-h"]),
        ("%ollama demo --replay t", ["talk.json"]),
        ("%ollama help ex", ["explain", "export"]),
        ("%ollama system pri", []),
    ],
)
def test_tab_behind_commands(shell, tmp_path, text, found):
    """What a command declares is offered behind it: options, models, files and fixed words."""
    (tmp_path / "talk.json").write_text("")
    models_are_known(shell)
    assert offered(shell, text) == found


def test_tab_offers_conversations(shell):
    """Behind -c and `%ollama switch` the conversations of the notebook are offered."""
    shell.run_cell("%%chat -c drafts\nHello")
    assert set(offered(shell, "%%chat -c ")) == {"main", "drafts"}
    assert offered(shell, "%ollama switch dr") == ["drafts"]


def test_tab_offers_what_was_told(shell):
    """Behind `%ollama unset` stands what was set, and nothing else; what stands there already is not offered again."""
    shell.run_line_magic("ollama", "set temperature 0.2")
    shell.run_line_magic("ollama", "system Be brief.")
    assert offered(shell, "%ollama unset ") == ["temperature", "system"]
    assert offered(shell, "%ollama unset temperature ") == ["system"]


def test_tab_offers_files(shell, tmp_path):
    """Behind save and open stand folders and the files that a conversation can be in; a space in a name is quoted."""
    for name in ("a.ipynb", "b.md", "c.py", "my talk.json", ".hidden.md"):
        (tmp_path / name).write_text("")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "d.md").write_text("")
    assert offered(shell, "%ollama open ") == ["a.ipynb", "b.md", "deep/", '"my talk.json"']
    assert tab(shell, "%ollama save deep/") == ("deep/", ["deep/d.md"])
    assert tab(shell, '%ollama open "my t') == ("my t", ["my talk.json"])
    assert offered(shell, "%ollama save a.ipynb --f") == ["--force"]
    assert offered(shell, "%ollama open no/where/") == []


NAMES = [
    "-dash.txt",
    "a b.txt",
    "it's.txt",
    'say "hi".txt',
    "both'\".txt",
    "back\\slash.txt",
    "[1].txt",
    "中文.txt",
    "$x.txt",
]


def test_a_file_that_tab_offers_is_the_one_that_is_read(shell, tmp_path):
    """However a name is written, what Tab puts on the line is read as that name."""
    for name in NAMES:
        (tmp_path / name).write_text("")
    words = offered(shell, "%chat -a ")
    assert [read_line(CHAT, f"-a {word} hi").options.attach for word in words] == [(name,) for name in sorted(NAMES)]


@pytest.mark.parametrize("text", ['%chat -a "fi"', "%chat -a 'fi'", '%%map "fi"', '%ollama open "fi"'])
def test_behind_a_closing_quote_nothing_is_offered(shell, tmp_path, text):
    """The word is complete: what Tab puts there would replace a part of its quotes."""
    (tmp_path / "file.md").write_text("")
    shell.run_cell("fields = [1]")
    assert offered(shell, text) == []


def test_tab_finds_a_file_in_any_folder(shell, tmp_path):
    """Among a thousand others, and beside a link that leads to itself."""
    for number in range(1_000):
        (tmp_path / f"f{number}.txt").write_text("")
    (tmp_path / "result.txt").write_text("")
    (tmp_path / "rest").symlink_to("rest")
    assert offered(shell, "%chat -a res") == ["rest", "result.txt"]


@pytest.mark.parametrize("text", ["pri", "", "what is pri", "import o"])
def test_prose_is_left_alone(shell, text):
    """In the prompt of %%chat nothing is offered, nothing of Python either."""
    for head in ("%%chat\n", "%%chat -m demo\nfirst line\n", "%%time\n%%chat\n", "%%generate\n", "\n%%chat --once\n"):
        assert offered(shell, head + text) == []


@pytest.mark.parametrize("text", ["pri", "%%timeit\npri", "%%writefile x\n%%chat\npri", "x = 1  # %chat\npri"])
def test_elsewhere_ipython_goes_on_by_itself(shell, text):
    """Outside of our magics the completions are Python's, as they were."""
    assert "print" in offered(shell, text)


def test_a_magic_of_somebody_else_is_not_ours(shell, monkeypatch):
    """A %%chat that another extension has registered since is not completed."""
    monkeypatch.setitem(shell.magics_manager.magics["cell"], "chat", print)
    assert "print" in offered(shell, "%%chat\npri")


class Thing:
    """Has an attribute, and properties that must never run."""

    kind = 1

    def __init__(self):
        self.table = {"one key": [1, 2], "other": {"deep": 1}}

    @property
    def danger(self):
        raise SystemExit

    def __getattr__(self, name):
        raise SystemExit

    def __dir__(self):
        raise SystemExit

    def method(self):
        raise SystemExit


@pytest.mark.parametrize(
    ("typed", "end", "names"),
    [
        ("al", "al", ["alpha", "alpine"]),
        (" al", "al", ["alpha", "alpine"]),
        ("thing.", "", ["table", "danger", "kind"]),
        ("thing.ta", "ta", ["table"]),
        ("thing.table[", "", ["'one key'", "'other'"]),
        ("thing.table['o", "'o", ["'one key'", "'other'"]),
        ('thing.table["o', '"o', ['"one key"', '"other"']),
        ("thing.table['other'][", "", ["'deep'"]),
        ("thing.table['one key'][", "", ["0", "1"]),
        ("thing.danger.", "", []),
        ("thing.nothing.", "", []),
        ("thing.method().", "", []),
        ("os", "", []),
        ("In", "In", ["In"]),
        ("no such", "", []),
    ],
)
def test_tab_in_a_field(shell, typed, end, names):
    """Behind {{ stand variables, attributes and keys, and none of the user's code runs for them."""
    shell.user_ns.update(alpha=1, alpine=2, thing=Thing(), _hidden=1, os=socket)
    for head in ("%%chat\nwhat is {{", "%chat {{"):
        assert tab(shell, head + typed) == (end, names)


def test_tab_in_a_data_frame(shell):
    """The columns of a data frame are offered as keys, and those that are names as attributes."""
    frame = type("DataFrame", (), {"__module__": "pandas.core.frame", "columns": ["year", "net sales"]})
    derived = type("Mine", (frame,), {"columns": property(lambda self: sys.exit())})
    shell.user_ns.update(df=frame(), mine=derived())
    assert offered(shell, "%%chat\n{{df[") == ["'year'", "'net sales'"]
    assert offered(shell, "%%chat\n{{df.ye") == ["year"]
    assert offered(shell, "%%chat\n{{mine[") == []


def test_a_closed_field_and_single_braces_are_prose(shell):
    """Behind }} and behind one brace or three nothing is offered."""
    shell.user_ns["alpha"] = 1
    for text in ("{{alpha}} al", "{al", "{{{al"):
        assert offered(shell, f"%%chat\n{text}") == []


def test_tab_within_a_line_sees_only_what_is_before_it(shell):
    """What stands behind the cursor, on its line and below, changes nothing."""
    assert tab(shell, "%%chat --th", " more\nprose")[1] == ["--think"]


@pytest.mark.parametrize(
    "text", ["%%chat -s 'never closed ", "%%chat -o =", "%%chat -x -y", "%ollama \0", "%%chat --=", "%ollama nothing x"]
)
def test_a_line_that_cannot_be_read_is_no_error(shell, text, capsys):
    """A line that would be refused completes to nothing, without a word."""
    assert offered(shell, text) == []
    assert capsys.readouterr() == ("", "")


def test_loading_twice_and_unloading(server):
    """The matcher is in once after loading twice, and gone after unloading."""
    shell = InteractiveShell()
    session = SimpleNamespace()
    completion.install(shell, session)
    completion.install(shell, session)
    assert len(shell.Completer.custom_matchers) == 1
    completion.uninstall(shell)
    assert shell.Completer.custom_matchers == []


def test_an_old_ipython_has_no_tab_of_ours(monkeypatch):
    """Where IPython has no such matchers, as 7.34, or a shell no completer, loading passes it over quietly."""
    monkeypatch.delattr(completer, "context_matcher")
    shell = InteractiveShell()
    completion.install(shell, SimpleNamespace())
    assert shell.Completer.custom_matchers == []
    completion.install(SimpleNamespace(), SimpleNamespace())
    completion.uninstall(SimpleNamespace())


class Asked:
    """A session whose server answers when the test says so; it notes how long Tab was ready to wait."""

    def __init__(self):
        self.futures, self.waits = [], []
        self.loop_thread = SimpleNamespace(start=self.start)
        client = SimpleNamespace(address=SimpleNamespace(url="http://here"), tags=lambda: None)
        self._server = SimpleNamespace(client=client)

    def server(self, host=None):
        return self._server

    def start(self, coroutine):
        future = Future()
        plain = future.result

        def result(timeout=None):
            self.waits.append(timeout)
            return plain(0)

        future.result = result
        self.futures.append(future)
        return future


@pytest.fixture
def asked(monkeypatch):
    import ollama_magic.ollama.client  # noqa: F401

    return Asked()


def model(name):
    return ModelSummary(name=name)


def test_a_silent_server_is_waited_for_once(asked):
    """Tab waits at most 100 ms for a silent server, and not again while the same look goes on."""
    names = ModelNames(asked, clock=lambda: 0.0)
    assert (names.get(), names.get(), names.get()) == ([], [], [])
    assert len(asked.futures) == 1
    assert 0 < asked.waits[0] <= 0.1
    assert asked.waits[1:] == [0, 0]


def test_what_came_late_is_there_at_the_next_tab(asked):
    """An answer that comes after its Tab is what the next Tab offers."""
    names = ModelNames(asked, clock=lambda: 0.0)
    assert names.get() == []
    asked.futures[0].set_result([model("late")])
    assert names.get() == [model("late")]


def test_what_is_known_is_offered_while_a_new_look_goes_on(asked):
    """Names that are ten seconds old are asked for anew, and offered as long as the server is silent."""
    now = [0.0]
    names = ModelNames(asked, clock=lambda: now[0])
    names.get()
    asked.futures[0].set_result([model("old")])
    assert names.get() == [model("old")]
    assert len(asked.futures) == 1
    now[0] = 11.0
    assert names.get() == [model("old")]
    asked.futures[1].set_exception(ServerUnreachable("gone"))
    assert names.get() == [model("old")]
    assert len(asked.futures) == 3


def test_no_server_offers_nothing(asked):
    """A server that refuses, an address that is none, and a client that is still being imported offer nothing."""
    names = ModelNames(asked, clock=lambda: 0.0)
    asked.server = lambda host: (_ for _ in ()).throw(ServerUnreachable("no"))
    assert names.get() == []
    names._importing = Future()
    names._importing.result = lambda timeout: (_ for _ in ()).throw(TimeoutError)
    assert names.get() == []
    assert WAIT_S <= 0.1


def test_tab_behind_f_offers_the_notebooks_types(shell, tmp_path):
    """json, then the types and schemas of the notebook, then schema files; within brackets the types and builtins."""
    (tmp_path / "team.json").write_text("{}")
    shell.run_cell(
        "from dataclasses import dataclass\nfrom enum import Enum\nfrom typing import *\nimport os\n"
        "@dataclass\nclass City:\n    name: str\n"
        "class Color(Enum):\n    RED = 1\n"
        "class Row(TypedDict):\n    a: int\n"
        "class Pair(NamedTuple):\n    a: int\n"
        "class Plain: pass\n"
        "Mood = Literal['a', 'b']\nschema = {'type': 'object'}\nother = {'a': 1}\n_Hidden = City\n"
    )
    assert offered(shell, "%%chat -f ") == ["json", "City", "Color", "Mood", "Pair", "Row", "schema", "team.json"]
    assert offered(shell, "%%chat -f C") == ["City", "Color"]
    assert tab(shell, "%%chat -f list[C") == ("C", ["City", "Color"])
    assert tab(shell, "%chat --format=dict[str, Ro") == ("Ro", ["Row"])
    assert {"City", "str", "dict"} <= set(offered(shell, "%%generate -f list["))


def test_tab_behind_a_offers_variables_and_files(shell, tmp_path):
    """The notebook's variables, then files and folders of any kind; behind a dot or a bracket what a variable holds."""
    (tmp_path / "fig one.png").write_text("")
    (tmp_path / "notes.txt").write_text("")
    shell.run_cell("fig = 1\nfigures = {'by year': 2}\nimport os")
    assert offered(shell, "%%chat -a fi") == ["fig", "figures", '"fig one.png"']
    assert offered(shell, "%%generate --attach=no") == ["notes.txt"]
    assert tab(shell, "%chat -a figures[") == ("", ["'by year'"])
    assert tab(shell, "%chat -a figures['by y") == ("'by y", ["'by year'"])
    assert tab(shell, "%chat -a figures['by year'] -a no") == ("no", ["notes.txt"])


FOREIGN = '''
import math, shutil

def weather(): ...

class Shop:
    def prices(self): ...
    def _hidden(self): ...

class Lazy:
    """It looks whatever it is asked up elsewhere."""
    def __getattr__(self, name):
        asked.append(name)
        raise RuntimeError(name)

    @property
    def __class__(self):
        asked.append("class")
        raise RuntimeError

asked = []
shop, lazy, nameless = Shop(), Lazy(), lambda: 1
globals()[7] = "a name that is no text"
'''


def test_tab_behind_t_offers_functions_and_runs_nothing(shell, capsys):
    """Functions, those of modules and the methods of objects; no object is asked anything, whatever its name is."""
    shell.run_cell(FOREIGN)
    assert offered(shell, "%%chat -t ") == ["weather"]
    assert offered(shell, "%%chat -t shop.") == offered(shell, "%%chat -t shop.pr") == ["shop.prices"]
    assert offered(shell, "%%chat -t Shop.") == ["Shop.prices"]
    assert "shutil.copyfile" in offered(shell, "%%chat -t shutil.co")
    for text in ("-t math.", "-t lazy.", "-t nobody.", "-a la", "-f La", "-f list[La", "{{la"):
        tab(shell, f"%%chat {text}")
    tab(shell, "%%map la")
    tab(shell, "%%map --executor la")
    assert shell.user_ns["asked"] == []
    assert capsys.readouterr().err == ""
