"""The cell and the script that load the extension, notebooks that nobody watches, the command line's version."""

import nbformat
import pytest
from nbclient import NotebookClient

from ollama_magic import __version__, cli
from tests.double import ScriptedServer
from tests.shells import fresh_shell, run


@pytest.fixture
def fresh(monkeypatch):
    """A shell without the extension."""
    with ScriptedServer(pace=0) as server:
        monkeypatch.setenv("OLLAMA_HOST", server.url)
        with fresh_shell() as shell:
            yield shell
            shell.run_line_magic("unload_ext", "ollama_magic")


@pytest.mark.parametrize(
    "question", ["%chat And in one line?", "r = %chat why??", "if True:\n    %generate really?", "%chat why?  "]
)
def test_a_question_in_the_cell_that_loads(fresh, question):
    """IPython reads a line that ends in ? before the extension is there: one line says so."""
    text, _ = run(fresh, f"%load_ext ollama_magic\n{question}")
    assert "call for help" in text
    assert "run this cell again" in text
    text, _ = run(fresh, question)
    assert "call for help" not in text


def test_a_cell_that_loads_and_asks(fresh):
    """Without a question mark at the end the very cell that loads may ask."""
    text, error = run(fresh, "%load_ext ollama_magic\n%chat Say hello.")
    assert error is None
    assert "call for help" not in text


def test_a_script_of_a_notebook(fresh, tmp_path):
    """A script in which nbconvert made help of a question is told at its first line that loads."""
    script = tmp_path / "notebook.py"
    script.write_text(
        "get_ipython().run_line_magic('load_ext', 'ollama_magic')\nget_ipython().run_line_magic('pinfo', 'why')\n"
    )
    text, _ = run(fresh, f"%run -i {script}")
    assert "Line 2 of the script" in text
    script.write_text(
        "get_ipython().run_line_magic('load_ext', 'ollama_magic')\nr = get_ipython().run_line_magic('chat', 'hi')\n"
    )
    text, error = run(fresh, f"%unload_ext ollama_magic\n%run -i {script}")
    assert error is None
    assert "Line" not in text


def test_background_turns_of_a_notebook_that_nobody_watches(monkeypatch, tmp_path):
    """Under nbclient the last cell's background answer is in the file, though the kernel ends behind it."""
    with ScriptedServer(pace=20) as server:
        monkeypatch.setenv("OLLAMA_HOST", server.url)
        sources = ["%load_ext ollama_magic", "%chat -b Hello, how are you?"]
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
        NotebookClient(notebook, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}).execute()
    labels = [output["metadata"] for output in notebook.cells[1].outputs if "metadata" in output]
    assert any(label.get("ollama_magic", {}).get("state") == "complete" for label in labels), labels


def test_the_command_line_has_a_version(capsys):
    """`ollama-magic --version` prints the version and ends well."""
    with pytest.raises(SystemExit) as end:
        cli.main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out == f"ollama_magic {__version__}\n"
