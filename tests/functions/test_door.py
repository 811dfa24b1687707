"""The public door: what it shows, and that it opens at first use."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import ollama_magic

DOOR = Path(ollama_magic.__file__)
FUNCTIONS = {"chat", "stream", "generate", "embed", "list", "show", "ps", "pull", "Conversation"}


def test_everything_public_is_there() -> None:
    """All names of the door can be taken, and the functions are among them."""
    assert set(ollama_magic.__all__) >= FUNCTIONS
    for name in FUNCTIONS:
        assert callable(getattr(ollama_magic, name))
    with pytest.raises(AttributeError):
        _ = ollama_magic.chatt


def test_type_checkers_see_them() -> None:
    """Every function is imported by name where only type checkers look, and the package says that it is typed."""
    tree = ast.parse(DOOR.read_text(encoding="utf8"))
    imports = [alias for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names]
    assert {alias.asname or alias.name for alias in imports} >= FUNCTIONS
    assert (DOOR.parent / "py.typed").exists()


def test_the_import_stays_light() -> None:
    """Importing the package brings in its version and its silent log, and none of the rooms behind the door."""
    code = "import sys, ollama_magic\nprint([name for name in sys.modules if name.startswith('ollama_magic.')])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout
    assert set(ast.literal_eval(found)) == {f"ollama_magic.{name}" for name in ("errors", "foreign", "log", "version")}


ERRORS = {"OllamaMagicError", "InputError", "ServerUnreachable", "ModelNotFound", "ServerError", "AnswerCut"}


def test_values_and_errors_are_at_the_door() -> None:
    """What the functions return and raise is imported from the package itself."""
    from ollama_magic import Embeddings, Reply, TurnStopped, errors
    from ollama_magic.conversation.reply import Reply as OwnReply

    assert Reply is OwnReply
    assert Embeddings("m", [[1.0]]).vectors == [[1.0]]
    assert issubclass(TurnStopped, KeyboardInterrupt)
    for name in ERRORS:
        assert getattr(ollama_magic, name) is getattr(errors, name)
    assert set(ollama_magic.__all__) >= ERRORS | {"Reply", "Embeddings", "TurnStopped"}


def test_every_example_of_a_docstring_runs(demo_server, monkeypatch) -> None:
    """What the docstrings of the public functions show is what happens."""
    import doctest

    from tests.double import DEMO, EMBEDDING

    monkeypatch.setenv("OLLAMA_HOST", demo_server(pace=0, models=[DEMO, EMBEDDING]).url)
    examples = 0
    for name in ("chat", "stream", "generate", "map", "embed", "list", "show", "ps"):
        function = getattr(ollama_magic, name)
        tests = doctest.DocTestFinder().find(function, name, globs={})
        examples += sum(len(test.examples) for test in tests)
        for test in tests:
            result = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test)
            assert result.failed == 0, name
    assert examples >= 14


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (lambda: ollama_magic.chat("m", [{"role": "user", "content": "hi"}]), "chat(messages, model=…)"),
        (lambda: ollama_magic.chat("hi", stream=True), "`stream(…)` streams the answer"),
        (lambda: ollama_magic.embed(input=["a"]), "embed(texts, model=…)"),
        (lambda: ollama_magic.chat("hi", temperature=0.2), "options={'temperature': …}"),
        (lambda: ollama_magic.chat("hi", modle="m"), "did you mean `model=`?"),
        (lambda: ollama_magic.chat(prompt="hi"), "chat(prompt)"),
        (ollama_magic.chat, "cannot be called like this"),
        (ollama_magic.show, "cannot be called like this"),
        (lambda: ollama_magic.show("demo", "gpu1"), "show(model, host=…)"),
        (lambda: ollama_magic.ps("gpu1"), "`ps` takes nothing without a name; write `ps(host=…)`"),
        (lambda: ollama_magic.list(hosts=["gpu1"]), "`list` has no `hosts=`; did you mean `host=`"),
        (lambda: ollama_magic.pull("demo", quiet=True), "it has stream, insecure, host"),
        (lambda: ollama_magic.Conversation().chat("Hi", "json"), "chat(prompt, format=…)"),
        (lambda: ollama_magic.Conversation(*range(9)), "takes at most 8 values: model, system, "),
        (lambda: ollama_magic.Conversation(modle="m"), "`Conversation` has no `modle=`; did you mean `model=`?"),
        (lambda: ollama_magic.Conversation(temperature=0), "a model option goes into `options={'temperature': …}`"),
        (lambda: ollama_magic.Conversation().stream("Hi", images=[]), "`attach=[…]` attaches images"),
    ],
)
def test_a_call_that_does_not_fit_says_what_to_write(call, line) -> None:
    """A wrong argument is one line of InputError, not a TypeError."""
    with pytest.raises(ollama_magic.InputError) as caught:
        call()
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)
