"""`ollama-magic demo`: who answers, where the notebook goes, how JupyterLab is called, and how all of it ends."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import ollama_magic
from ollama_magic import cli
from tests.demo.asking import ask
from tests.double import ScriptedServer, nobody
from tests.ollama.raw_server import Connection, RawServer

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
# A JupyterLab that tells how it was called, looks who answers its kernels, and ends.
LAB = """
import json, os, pathlib, sys, urllib.request
folder = os.environ["JUPYTER_PATH"].split(os.pathsep)[0]
kernel = json.loads(pathlib.Path(folder, "kernels/python3/kernel.json").read_text())
host = kernel["env"].get("OLLAMA_HOST") or os.environ["OLLAMA_HOST"]
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
tags = json.load(opener.open(host + "/api/tags"))
config = os.environ["JUPYTER_CONFIG_PATH"].split(os.pathsep)[0]
page = json.loads(pathlib.Path(config, "labconfig/page_config.json").read_text())
told = {"argv": sys.argv[1:], "kernel": kernel, "host": host, "folder": folder, "models": len(tags["models"])}
told["disabled"] = page["disabledExtensions"]
pathlib.Path(os.environ["TOLD"]).write_text(json.dumps(told))
sys.exit(int(os.environ.get("STATUS", "0")))
"""


@pytest.fixture(autouse=True)
def _quiet_signals() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for JupyterLab in an empty folder, where no Ollama answers; the file has what it was told."""
    (tmp_path / "fake").mkdir()
    (tmp_path / "fake" / "jupyterlab.py").write_text(LAB)
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "fake"))
    monkeypatch.setenv("TOLD", str(tmp_path / "told.json"))
    monkeypatch.setenv("OLLAMA_HOST", nobody())
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    return tmp_path / "told.json"


def test_demo_without_ollama(lab: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where no Ollama answers the demo server does, JupyterLab's kernels ask it, and it goes with JupyterLab."""
    assert cli.main(["demo", "--no-browser", "--pace", "0"]) == 0
    told = json.loads(lab.read_text())
    first, second = capsys.readouterr().out.splitlines()
    assert first == (
        f"No Ollama answers at {os.environ['OLLAMA_HOST']}, "
        "so the built-in demo server answers: recorded answers only: "
        "smollm2:135m is not here yet (`%ollama pull smollm2:135m` fetches it, 98 MB)."
    )
    assert "quickstart.ipynb" in second
    assert told["models"] == 1
    with pytest.raises(ConnectionError):
        ask(told["host"])


def test_demo_with_ollama(lab: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where an Ollama with a model answers, it stays the one that answers the notebook."""
    with ScriptedServer() as real:
        monkeypatch.setenv("OLLAMA_HOST", real.url)
        assert cli.main(["demo"]) == 0
        assert capsys.readouterr().out.startswith(f"Ollama at {real.url} answers in the notebook, with your own")
    assert json.loads(lab.read_text())["kernel"]["env"] == {}


def test_jupyterlab_opens_a_copy(lab: Path) -> None:
    """JupyterLab opens a copy of the quickstart, without the saved answers, and a notebook that is there is kept."""
    source = json.loads((ROOT / "examples/quickstart.ipynb").read_text("utf-8"))
    cells = [cell["source"] for cell in source["cells"]]
    for name in ("quickstart.ipynb", "quickstart-2.ipynb"):
        cli.main(["demo"])
        copy = Path.cwd() / "ollama-magic-demo" / name
        argv = json.loads(lab.read_text())["argv"]
        assert argv[0] == str(copy)
        assert f"--ServerApp.root_dir={copy.parent}" in argv
        copied = json.loads(copy.read_text("utf-8"))["cells"]
        assert [cell["source"] for cell in copied] == cells
        assert not any(cell.get("outputs") or cell.get("execution_count") for cell in copied)
        copy.write_text("mine")
    assert [path.read_text() for path in Path.cwd().rglob("quickstart*.ipynb")] == ["mine", "mine"]


def test_the_other_examples_come_along(lab: Path) -> None:
    """Every notebook that an example links to is copied beside it, without answers; one that is there is kept."""
    cli.main(["demo"])
    folder = Path(json.loads(lab.read_text())["argv"][0]).parent
    copies = {path.name: json.loads(path.read_text("utf-8"))["cells"] for path in folder.glob("*.ipynb")}
    assert set(copies) == {path.name for path in (ROOT / "examples").glob("*.ipynb")}
    links = re.findall(r"\]\(([\w-]+\.ipynb)\)", json.dumps(list(copies.values())))
    assert links
    assert set(links) <= set(copies)
    assert not any(cell.get("outputs") for cells in copies.values() for cell in cells)
    (folder / "models.ipynb").write_text("mine")
    cli.main(["demo"])
    assert (folder / "models.ipynb").read_text() == "mine"


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    """`--version` says the version of the package."""
    with pytest.raises(SystemExit) as ended:
        cli.main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"ollama_magic {ollama_magic.__version__}\n"


def test_jupyterlab_asks_nothing(lab: Path) -> None:
    """No question about news or about ending, no browser when none is wanted, root only where it must be."""
    cli.main(["demo", "--no-browser"])
    argv = json.loads(lab.read_text())["argv"]
    assert {"--ServerApp.answer_yes=True", "--no-browser"} <= set(argv)
    assert json.loads(lab.read_text())["disabled"] == {"@jupyterlab/apputils-extension:announcements": True}
    assert ("--allow-root" in argv) == (os.geteuid() == 0)


def test_the_kernel_loads_the_extension(lab: Path) -> None:
    """The kernel is this Python, has the extension loaded, and its folder is gone afterwards."""
    cli.main(["demo"])
    told = json.loads(lab.read_text())
    assert told["kernel"]["argv"][0] == sys.executable
    assert "--ext=ollama_magic" in told["kernel"]["argv"]
    assert not Path(told["folder"]).exists()


def test_the_folder_may_be_chosen(lab: Path, tmp_path: Path) -> None:
    """`--notebook-dir` says where the notebook goes; JupyterLab's own status is passed on."""
    os.environ["STATUS"] = "3"
    try:
        assert cli.main(["demo", "--notebook-dir", str(tmp_path / "a" / "b")]) == 3
    finally:
        del os.environ["STATUS"]
    assert (tmp_path / "a" / "b" / "quickstart.ipynb").is_file()
    assert lab.exists()


def test_an_unwritable_folder_is_left(lab: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing can be written the notebook goes to a temporary folder."""
    (tmp_path / "work" / "ollama-magic-demo").write_text("a file stands in the way")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    cli.main(["demo"])
    copy = Path(json.loads(lab.read_text())["argv"][0])
    assert copy.is_relative_to(tmp_path)
    assert not copy.is_relative_to(tmp_path / "work")


def test_missing_jupyterlab(lab: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without JupyterLab one line says how to get it, and nothing is written."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    assert cli.main(["demo"]) == 1
    assert 'pip install "ollama_magic[lab]"' in capsys.readouterr().err
    assert not list(Path.cwd().iterdir())
    assert not lab.exists()


@pytest.mark.parametrize("more", [[], ["--server-only"]])
def test_a_taken_port(lab: Path, capsys: pytest.CaptureFixture[str], more: list[str]) -> None:
    """A port that is taken is told in one line."""
    with ScriptedServer() as other:
        port = other.url.rpartition(":")[2]
        assert cli.main(["demo", "--port", port, *more]) == 1
    errors = capsys.readouterr().err
    assert f"cannot have port {port}" in errors
    assert errors.count("\n") == 1
    assert not lab.exists()


@pytest.mark.parametrize(
    "wrong",
    [["--port", "70000"], ["--port", "x"], ["--port", "²"], ["--pace", "-1"], ["--pace", "nan"], ["--huh"]],
)
def test_wrong_options(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong option is refused with its reason, and status 2."""
    with pytest.raises(SystemExit) as ended:
        cli.main(["demo", *wrong])
    assert ended.value.code == 2
    errors = capsys.readouterr().err
    assert "ollama-magic demo: error:" in errors or wrong == ["--huh"]
    assert "invalid _" not in errors


@pytest.mark.parametrize("option", [["--notebook-dir"], ["--server-only", "--gguf"]])
def test_an_unknown_home(option: list[str], lab: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`~` of a person whom nobody knows is refused in one line, and nothing is started."""
    if option[-1] == "--gguf":
        pytest.importorskip("xllamacpp")
    assert cli.main(["demo", *option, "~nobody-of-that-name/x"]) == 1
    shown = capsys.readouterr()
    assert "no such home folder" in shown.err
    assert (shown.out, shown.err.count("\n")) == ("", 1)
    assert not lab.exists()


def test_a_folder_that_was_removed(lab: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder that is no longer there the notebook goes to a temporary one."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    Path.cwd().rmdir()
    assert cli.main(["demo"]) == 0
    assert Path(json.loads(lab.read_text())["argv"][0]).is_relative_to(tmp_path)


@pytest.mark.parametrize(
    ("value", "url"),
    [
        (None, "http://127.0.0.1:11434"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ('"localhost:8080"', "http://localhost:8080"),
        ("https://h/a/", "https://h:443/a"),
        ("http://h", "http://h:80"),
        ("::1", "http://[::1]:11434"),
        ("h:port", "http://127.0.0.1:11434"),
        ("ollama.com", "https://ollama.com:443"),
    ],
)
def test_address_of_ollama(value: str | None, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """OLLAMA_HOST is read as the server's own tools read it."""
    monkeypatch.setattr(cli, "_get", lambda *_: b"something else")
    assert cli.look_at(value)[0] == url


def test_what_is_no_ollama() -> None:
    """A web server that is no Ollama, and an Ollama without models, are told apart from none at all."""
    with ScriptedServer(models=[]) as empty:
        assert cli.look_at(empty.url)[1] == f"Ollama at {empty.url} has no model yet"
    dead = nobody()
    assert cli.look_at(dead)[1] == f"No Ollama answers at {dead}"


def test_a_list_that_is_nested_without_end() -> None:
    """A server whose list of models cannot be read is no Ollama."""

    def nested(connection: Connection) -> None:
        for body in (b"Ollama is running", b"[" * 100_000):
            connection.request()
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body), body)

    with RawServer(nested) as server:
        assert cli.look_at(server.address)[1] == f"No Ollama answers at http://{server.address}"


@pytest.mark.parametrize("push", [signal.SIGINT, signal.SIGTERM])
def test_server_only(push: signal.Signals) -> None:
    """`--server-only` prints its address, answers, and ends at Ctrl-C with status 0 and without a word."""
    command = [sys.executable, "-m", "ollama_magic.cli", "demo", "--server-only", "--pace", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:
        url = process.stdout.readline().strip()
        assert "until Ctrl-C" in process.stdout.readline()
        assert ask(url).body == b"Ollama is running"
        process.send_signal(push)
        assert process.communicate(timeout=30) == ("", "")
        assert process.returncode == 0
    with pytest.raises(ConnectionError):
        ask(url)


def test_a_file_is_replayed(lab: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With `--replay` the demo server answers, from the file; one that cannot be read is refused before all else."""
    turns = [{"role": "user", "content": "Hey"}, {"role": "assistant", "content": "Ho"}]
    Path("talk.json").write_text(json.dumps({"messages": turns}), "utf-8")
    assert cli.main(["demo", "--no-browser", "--replay", "talk.json"]) == 0
    assert "talk.json is replayed" in capsys.readouterr().out
    assert json.loads(lab.read_text())["models"] == 1
    with pytest.raises(SystemExit):
        cli.main(["demo", "--replay", "nosuch.json"])
    assert "nosuch.json cannot be read" in capsys.readouterr().err
