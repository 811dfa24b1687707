"""The settings: what `%config OllamaMagic` says of them, and that files and the environment are heard."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from IPython.utils.capture import capture_output
from traitlets import TraitError

from ollama_magic.line.traits import OllamaTraits
from tests.double import ScriptedServer
from tests.shells import loaded_shell, run

ROOT = Path(__file__).parents[2]
OWN = OllamaTraits.class_traits(config=True)
LINE = 76  # characters that %config prints on one line of a help


@pytest.fixture
def shell():
    with loaded_shell() as shell:
        yield shell


def config(shell, rest=""):
    with capture_output() as shown:
        shell.run_line_magic("config", f"OllamaMagic{rest}")
    return shown.stdout


def test_config_lists_every_setting(shell):
    """`%config OllamaMagic` has each setting, with one plain line below it and its value."""
    lines = config(shell).splitlines()
    heads = [place for place, line in enumerate(lines) if line.startswith("OllamaMagic.")]
    assert {lines[place].removeprefix("OllamaMagic.").split("=")[0] for place in heads} == set(OWN)
    for place in heads:
        assert lines[place + 1].strip().endswith(".")
        assert lines[place + 2].strip().startswith(("Current:", "Choices:"))


@pytest.mark.parametrize("name", list(OWN))
def test_the_help_of_a_setting_is_one_line(name):
    """The help of a setting is one sentence or two that fit on one line."""
    assert OWN[name].help
    assert len(OWN[name].help) <= LINE
    assert OWN[name].help.endswith(".")


def in_ipython(folder, code, *options, **environ):
    """What IPython says with a profile folder of its own."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "IPYTHONDIR": str(folder), **environ}
    command = [sys.executable, "-m", "IPython", "--colors=nocolor", *options, "-c", code]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


@pytest.fixture
def profile(tmp_path):
    (tmp_path / "profile_default").mkdir()
    return tmp_path / "profile_default"


def test_a_configuration_file(profile):
    """What ipython_config.py says is heard at loading, and the command line is stronger."""
    (profile / "ipython_config.py").write_text(
        "c.InteractiveShellApp.extensions = ['ollama_magic']\n"
        "c.OllamaMagic.model = 'demo:latest'\n"
        "c.OllamaMagic.options = {'temperature': 0.2}\n"
    )
    ask = "o = get_ipython().magics_manager.registry['OllamaMagic']; print(o.model, o.options, o.session.settings())"
    assert "demo:latest {'temperature': 0.2} Settings(" in in_ipython(profile.parent, ask)
    assert in_ipython(profile.parent, ask, "--OllamaMagic.model=other").startswith("other ")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("c.OllamaMagic.options = {'temperatur': 1}", "did you mean temperature?"),
        ("c.OllamaMagic.think = 'lots'", "'lots'"),
        ("c.OllamaMagic.modle = 'x'", "Did you mean"),
    ],
)
def test_a_mistake_in_a_configuration_file(profile, line, says):
    """A setting that cannot be used, or is none, is told in a line, not in a traceback."""
    (profile / "ipython_config.py").write_text(f"{line}\n")
    said = in_ipython(profile.parent, "%load_ext ollama_magic")
    assert says in said
    assert "Traceback" not in said


def test_the_environment_is_heard(shell, monkeypatch):
    """OLLAMA_HOST names the server, also when a cell changes it; a setting and a command are stronger."""
    with ScriptedServer(pace=0) as one, ScriptedServer(pace=0) as other:
        for server in (one, other):
            monkeypatch.setenv("OLLAMA_HOST", server.url)
            assert shell.run_line_magic("ollama", "\0=host") == server.url
        config(shell, f".host = '{one.url}'")
        assert shell.run_line_magic("ollama", "\0=host") == one.url
        shell.run_line_magic("ollama", f"host {other.url}")
        assert shell.run_line_magic("ollama", "\0=host") == other.url


WRONG = (
    *(".options = {'temperatur': 1}", ".options = {1: 2}", ".options = {'seed': object()}"),
    *(".think = 'lots'", ".turns = -1", ".display = 'tv'", ".keep_aside = -1"),
    *(".limits = {'connect': -1}", ".limits = {'silence': 0}", ".limits = {'look': float('nan')}"),
)


@pytest.mark.parametrize("rest", WRONG)
def test_a_wrong_value_is_one_line(shell, rest, caplog):
    """`%config` with a value that cannot be says so in one line and changes nothing."""
    before = config(shell)
    config(shell, rest)
    assert len(caplog.records) == 1
    assert "\n" not in caplog.records[0].getMessage()
    assert config(shell) == before


def test_a_value_is_kept_as_servers_take_it(shell):
    """Numbers of NumPy are plain ones, and 1 and 0 for think are True and False."""
    settings = shell.magics_manager.registry["OllamaMagic"]
    settings.options, settings.think = {"seed": np.int64(3), "temperature": np.float32(0.5)}, 1
    assert (settings.options, settings.think) == ({"seed": 3, "temperature": 0.5}, True)
    assert (type(settings.options["seed"]), type(settings.think)) == (int, bool)


def test_the_log_is_a_setting(shell, tmp_path):
    """`OllamaMagic.log` turns the log on, `%ollama status --check` says where it goes, and nonsense is refused."""
    file = tmp_path / "chat.log"
    shell.run_cell(f"%config OllamaMagic.log = 'info:{file}'")
    check = shell.run_line_magic("ollama", "\0=status --check")
    assert "Log: info, to " in check
    assert "chat.log" in check
    assert file.exists()
    with pytest.raises(TraitError, match="loud is not a log level"):
        shell.magics_manager.registry["OllamaMagic"].log = "loud"
    shell.run_cell("%config OllamaMagic.log = 'off'")
    assert "Log: off" in shell.run_line_magic("ollama", "\0=status --check")


@pytest.mark.parametrize("setting", ["notebook", "store"])
def test_a_path_that_the_system_refuses(shell, monkeypatch, tmp_path, setting):
    """A name that is too long for the system ends neither loading nor a chat with an error."""
    paths = {"notebook": str(tmp_path / "n.ipynb"), "store": str(tmp_path / "store.sqlite")}
    for name, value in (paths | {setting: str(tmp_path / ("n" * 300))}).items():
        shell.run_line_magic("config", f"OllamaMagic.{name} = {value!r}")
    with ScriptedServer(pace=0) as server:
        monkeypatch.setenv("OLLAMA_HOST", server.url)
        for cell in ("%reload_ext ollama_magic", "%%chat\nHi", "%ollama status"):
            assert run(shell, cell)[1] is None
