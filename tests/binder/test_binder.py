"""What Binder makes of `binder/`, without Docker: the image's recipe, both scripts, and who answers."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from ollama_magic.demo.demo_server import DemoServer
from ollama_magic.demo.engine.local_models import local_models
from tests import examples
from tests.binder.environments import BADGE, ROOT, run, tools
from tests.demo.asking import chat
from tests.engine.local_weights import local_weights

BINDER = ROOT / "binder"
SCRIPTS = (str(BINDER / "postBuild"), str(BINDER / "start"))
ANSWERS = ROOT / "ollama_magic" / "demo" / "recordings" / "answers.json"
HOST = "import os; print(os.environ.get('OLLAMA_HOST'))"


def environment(*first: Path, **more: str) -> dict[str, str]:
    path = os.pathsep.join([*map(str, first), str(Path(sys.executable).parent), os.environ["PATH"]])
    return {
        **os.environ,
        "PATH": path,
        "PYTHONPATH": str(ROOT),
        "NO_PROXY": "127.0.0.1",
        "OLLAMA_MAGIC_CACHE": str(local_weights().parent),
        **more,
    }


def started(*command: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", str(BINDER / "start"), *command], capture_output=True, text=True, check=True, **options
    )


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/bash\n{text}\n")
    path.chmod(0o755)
    return path.parent


def test_the_recipe(tmp_path: Path) -> None:
    """repo2docker reads the folder as meant: Python 3.12, the package with its extra, both scripts in their places."""
    (tmp_path / "home").mkdir()
    shutil.copytree(BINDER, tmp_path / "repository" / "binder")
    environ = {**os.environ, "DOCKER_HOST": "", "HOME": str(tmp_path / "home")}
    command = [str(tools()), "-m", "repo2docker", "--no-build", "--debug", "--user-id", "1000", "--user-name", "jovyan"]
    done = subprocess.run(
        [*command, str(tmp_path / "repository")], env=environ, capture_output=True, text=True, check=True
    )
    recipe = done.stdout + done.stderr
    assert re.search(r"environment-2epy-2d3-2e12-2dlinux-2d\w+-2elock", recipe)
    steps = [
        "COPY --chown=1000:1000 src/ ${REPO_DIR}/",
        'RUN ${KERNEL_PYTHON_PREFIX}/bin/pip install --no-cache-dir -r "binder/requirements.txt"',
        "RUN ./binder/postBuild",
        'ENV R2D_ENTRYPOINT="${REPO_DIR}/binder/start"',
    ]
    places = [recipe.index(step) for step in steps]
    assert places == sorted(places)
    assert (BINDER / "requirements.txt").read_text() == ".[examples]\n"


def test_the_scripts_are_clean() -> None:
    """Bash reads them, shellcheck finds nothing in them, and they may be executed."""
    for name in SCRIPTS:
        run("bash", "-n", name)
        assert os.access(name, os.X_OK)
    run(str(tools().with_name("shellcheck")), *SCRIPTS)


def test_the_demo_server_answers_at_once() -> None:
    """It answers before the program is started, says what it is, and ends with the program."""
    ask = (
        "import os, urllib.request; url = os.environ['OLLAMA_HOST'];"
        "print(url, urllib.request.urlopen(url, timeout=60).read(), flush=True); import sys; sys.stdin.read()"
    )
    command = ["bash", str(BINDER / "start"), sys.executable, "-c", ask]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, env=environment(), text=True, **pipes) as process:
        url, _, said = process.stdout.readline().strip().partition(" ")
        assert said == "b'Ollama is running'"
        assert chat(url, "Hello, how are you?").text.endswith("*recorded: gemma3:1b, 2025-04-22*")
        assert chat(url, "Tell me a joke").text.endswith("*demo: scripted reply, no language model*")
        free = chat(url, "Name a river, will you?", options={"num_predict": 3})
        assert free.text.endswith("*smollm2:135m: a real answer, and often wrong*")
        _, words = process.communicate("")
    assert f"A demo server answers at {url}: smollm2:135m, a very small real model, and recorded answers." in words
    assert gone(url)


def gone(url: str) -> bool:
    """Whether nobody answers there any more, now or in a few seconds."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for _ in range(100):
        try:
            opener.open(url, timeout=5).close()
        except OSError:
            return True
        time.sleep(0.1)
    return False


def test_a_notebook_opens_whatever_happens(tmp_path: Path) -> None:
    """Without the weights recorded answers are left; without a server the notebook still opens."""
    bare = started(sys.executable, "-c", HOST, env=environment(OLLAMA_MAGIC_CACHE=str(tmp_path / "none")))
    assert "http://127.0.0.1:" in bare.stdout
    assert "recorded answers only: smollm2:135m is not here yet" in bare.stderr
    nothing = environment(script(tmp_path / "bin" / "python", "exit 1"))
    done = started(sys.executable, "-c", HOST, env=nothing)
    assert done.stdout == "None\n"
    assert "The demo server did not start" in done.stderr


def test_a_real_model_is_asked_for(tmp_path: Path) -> None:
    """Without the variable no ollama is run; with it the model is fetched and served, and ends with the program."""
    told = tmp_path / "told"
    serve = f'echo "$@" >> {told}; case $1 in serve) exec sleep 600;; show) exit 1;; esac'
    bin_ = script(tmp_path / "bin" / "ollama", f"echo $$ > {told}.$1; {serve}")
    assert "http://" in started(sys.executable, "-c", HOST, env=environment(bin_)).stdout
    assert not told.exists()
    done = started(sys.executable, "-c", HOST, env=environment(bin_, OLLAMA_MAGIC_BINDER_MODEL="gemma3:270m"))
    assert done.stdout == "None\n"
    assert "A real model answers: gemma3:270m." in done.stderr
    asked = [line for line in told.read_text().splitlines() if line != "serve"]  # which is said beside them
    assert asked[-2:] == ["show gemma3:270m", "pull gemma3:270m"]
    assert ended(int(Path(f"{told}.serve").read_text()))


def ended(process: int) -> bool:
    for _ in range(100):
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    os.kill(process, signal.SIGKILL)
    return False


def test_a_real_model_that_does_not_come(tmp_path: Path) -> None:
    """Where ollama is missing it is installed; where that or the model fails, the demo server answers."""
    told = tmp_path / "told"
    script(tmp_path / "bin" / "mamba", f'echo "$@" >> {told}; exit 1')
    lonely = tmp_path / "bin"
    for name in ("bash", "dirname", "sleep"):
        (lonely / name).symlink_to(shutil.which(name) or "")
    environ = environment(lonely, OLLAMA_MAGIC_BINDER_MODEL="gemma3:270m", NB_PYTHON_PREFIX="/srv/x")
    environ["PATH"] = os.pathsep.join([str(lonely), str(Path(sys.executable).parent)])
    environ.pop("MAMBA_EXE", None)
    done = started(sys.executable, "-c", HOST, env=environ)
    assert "http://127.0.0.1:" in done.stdout
    assert "and recorded answers." in done.stderr
    assert told.read_text().split()[-4:] == ["conda-forge", "--prefix", "/srv/x", "ollama"]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, bare_machine: Path) -> Path:
    """A home after postBuild, with the examples of the repository."""
    home = tmp_path_factory.mktemp("built")
    shutil.copytree(ROOT / "examples", home / "examples")
    run("bash", str(BINDER / "postBuild"), env=environment(**folders(home)), cwd=home)
    return home


def folders(home: Path) -> dict[str, str]:
    return {"IPYTHONDIR": str(home / "ipython"), "JUPYTER_CONFIG_DIR": str(home / "jupyter")}


def test_every_notebook_is_ready(built: Path) -> None:
    """The extension is loaded and may be loaded again, kept answers are shown again, and nobody is asked about news."""
    ask = "%load_ext ollama_magic\nprint(get_ipython().magics_manager.registry['OllamaMagic'].rerun)"
    done = run(sys.executable, "-m", "IPython", "-c", ask, env=environment(**folders(built)))
    assert done.splitlines()[-1] == "reuse"
    config = json.loads((built / "jupyter" / "labconfig" / "page_config.json").read_text())
    assert config["disabledExtensions"] == {"@jupyterlab/apputils-extension:announcements": True}


def test_the_quickstart_waits_to_be_run(built: Path) -> None:
    """On Binder the quickstart has no answers yet; its cells are those of the repository."""
    there, here = (json.loads((p / "examples/quickstart.ipynb").read_text("utf-8"))["cells"] for p in (built, ROOT))
    assert ["".join(cell["source"]) for cell in there] == ["".join(cell["source"]) for cell in here]
    assert not any(cell.get("outputs") for cell in there)
    assert any(cell.get("outputs") for cell in here)


@pytest.mark.parametrize("name", ["quickstart.ipynb", "conversation.ipynb", "panel.ipynb"])
def test_the_examples_run(name: str, built: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As on Binder, with the extension loaded already and both kinds of answers, those that ask run to their end."""
    for variable, value in {**folders(built), "OLLAMA_MAGIC_ENGINE_THREADS": "1"}.items():
        monkeypatch.setenv(variable, value)
    with DemoServer(pace=0, local=local_models(folder=local_weights().parent)) as server:
        notebook = examples.executed(name, server, monkeypatch, tmp_path)
    assert examples.errors(notebook) == []
    assert examples.answers(notebook)


def test_the_badge() -> None:
    """Each of Binder's addresses in the documentation opens a notebook that is there, in JupyterLab, at a tag."""
    found = BADGE.findall((ROOT / "docs" / "without-ollama.md").read_text("utf-8"))
    assert found
    for ref, urlpath in found:
        assert ref not in {"HEAD", "main", "master"}
        assert urlpath.startswith("lab/tree/")
        assert (ROOT / urlpath.removeprefix("lab/tree/")).is_file()


def test_the_answers_are_labelled() -> None:
    """Every recorded answer comes from a real server and names its model; a test model is called one."""
    for answer in json.loads(ANSWERS.read_text("utf-8")):
        assert answer["model"] == "gemma3:1b" or answer["model"].endswith(", a test model that recites")
        assert answer["date"]
