"""`ollama-magic enable` and `disable`: one file of our own in the profile, on request only."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ollama_magic import cli, enabling
from tests.kernel.kernel import ROOT, Kernel

LOADED = (
    "print('loaded', 'ollama_magic' in get_ipython().extension_manager.loaded, [n for n in dir() if 'ollama' in n])"
)


@pytest.fixture
def profile(tmp_path, monkeypatch):
    """An IPython folder of its own, with a configuration that is the user's."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    folder = tmp_path / "profile_default"
    (folder / "startup").mkdir(parents=True)
    (folder / "ipython_config.py").write_text("# mine\nc.InteractiveShellApp.extensions = ['autoreload']\n")
    (folder / "startup" / "10-mine.py").write_text("mine = 1\n")
    return folder


def files(folder):
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*.py")}


def in_ipython(code, *options):
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "IPython", *options, "-c", code]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_enable_and_disable(profile, capsys):
    """`enable` writes one file and names it, `disable` removes it, and the user's own files are as they were."""
    before = files(profile)
    assert cli.main(["enable"]) == 0
    file = profile / "startup" / enabling.NAME
    assert str(file) in capsys.readouterr().out
    assert set(files(profile)) - set(before) == {f"startup{os.sep}{enabling.NAME}"}
    assert "loaded True []" in in_ipython(LOADED)
    assert cli.main(["disable"]) == 0
    assert str(file) in capsys.readouterr().out
    assert files(profile) == before
    assert "loaded False []" in in_ipython(LOADED)


def test_twice_is_as_once(profile, capsys):
    """A second `enable` or `disable` changes nothing and says so."""
    cli.main(["enable"])
    before = files(profile)
    assert cli.main(["enable"]) == 0
    assert "already exists" in capsys.readouterr().out
    assert files(profile) == before
    cli.main(["disable"])
    assert cli.main(["disable"]) == 0
    assert "nothing to remove" in capsys.readouterr().out


def test_a_typed_load_ext_is_harmless(profile):
    """With the extension loaded by itself, the user's others are too, and a typed %load_ext changes nothing."""
    enabling.enable()
    said = in_ipython(
        f"%load_ext ollama_magic\n{LOADED}; print(get_ipython().find_line_magic('autoreload') is not None)"
    )
    assert "loaded True []\nTrue" in said
    assert "Error" not in said


def test_kernels_load_it_too(profile):
    """A kernel of the profile has the magics from its start on."""
    enabling.enable()
    kernel = Kernel({"IPYTHONDIR": str(profile.parent)})
    try:
        assert kernel.run("print(get_ipython().find_cell_magic('chat') is not None)").printed == "True\n"
    finally:
        kernel.stop()


def test_where_the_package_is_missing(profile):
    """In an environment without the package a start of IPython says nothing of it."""
    enabling.enable()
    file = profile / "startup" / enabling.NAME
    file.write_text(file.read_text().replace('"ollama_magic"', '"a_package_that_is_missing"'))
    assert in_ipython("print('fine')") == "fine\n"


def test_a_profile_by_name(profile, capsys):
    """`--profile` names another profile; one that does not exist is refused with the way to make it."""
    (profile.parent / "profile_work").mkdir()
    assert cli.main(["enable", "--profile", "work"]) == 0
    assert (profile.parent / "profile_work" / "startup" / enabling.NAME).exists()
    assert "loaded True" in in_ipython(LOADED, "--profile=work")
    assert cli.main(["enable", "--profile", "play"]) == 1
    assert "`ipython profile create play`" in capsys.readouterr().err
    assert cli.main(["enable", "--profile", "../x"]) == 1


def test_a_profile_that_ipython_has_not_made_yet(tmp_path, monkeypatch):
    """Before IPython's first start there is no profile; the file is written where IPython will look."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "new"))
    file, written = enabling.enable()
    assert written
    assert file.exists()
    assert "loaded True" in in_ipython(LOADED)


def test_a_file_of_somebody_else_is_left_alone(profile, capsys):
    """A file of that name that we did not write is neither replaced nor removed; an older one of ours is renewed."""
    file = profile / "startup" / enabling.NAME
    file.write_text("mine = 1\n")
    assert (cli.main(["enable"]), cli.main(["disable"])) == (1, 1)
    assert file.read_text() == "mine = 1\n"
    assert "it was not changed" in capsys.readouterr().err
    file.write_text(f"{enabling.MARK}\nolder\n")
    assert cli.main(["enable"]) == 0
    assert file.read_text() == enabling.TEXT


def test_a_folder_of_ipython_that_cannot_be_written(tmp_path, monkeypatch, capsys):
    """A file in the way of IPython's folder is one line: IPython itself would take a temporary folder each time."""
    (tmp_path / "file").write_text("")
    for place in ("file", "file/folder"):
        monkeypatch.setenv("IPYTHONDIR", str(tmp_path / place))
        assert (cli.main(["enable"]), cli.main(["disable"])) == (1, 1)
        shown = capsys.readouterr()
        assert shown.out == ""
        assert shown.err.count("\n") == 2
        assert "IPYTHONDIR names another one" in shown.err


def test_a_profile_that_cannot_be_written(profile, monkeypatch, capsys):
    """A profile that cannot be written is one line, not a traceback."""

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "write_text", refuse)
    assert cli.main(["enable"]) == 1
    assert "cannot be written (Permission denied)" in capsys.readouterr().err
