"""A traceback and the variables of its failing line as text for a prompt."""

from __future__ import annotations

import importlib.util
from collections import ChainMap
from typing import TYPE_CHECKING, Any

import pytest

from ollama_magic.prompt.line_variables import MOST, VALUE, names_of_line, variables_text
from ollama_magic.prompt.traceback_text import MESSAGE, failing_place, source_of, traceback_text

if TYPE_CHECKING:
    from pathlib import Path

KEY = "sk-0123456789"
MODULE = """\
def outer(rows):
    total = 0
    for row in rows:
        total += inner(row, "x")
    return total


def inner(row, name):
    factor = 2
    return factor * (
        row[name]
    )


def deep(n):
    return deep(n - 1) if n else 1 / 0


def chained():
    try:
        deep(0)
    except ZeroDivisionError as error:
        raise ValueError("no sum") from error
"""


def mask(text: str) -> str:
    return text.replace(KEY, "•••")


@pytest.fixture
def module(tmp_path: Path) -> Any:
    """A module of the user's own, in a folder of this machine."""
    path = tmp_path / "shop" / "sums.py"
    path.parent.mkdir()
    path.write_text(MODULE, encoding="utf8")
    spec = importlib.util.spec_from_file_location("sums", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def raised(function: Any, *arguments: Any) -> BaseException:
    with pytest.raises(BaseException) as caught:
        function(*arguments)
    error: BaseException = caught.value
    assert error.__traceback__ is not None
    error.__traceback__ = error.__traceback__.tb_next  # without this function
    return error


def variables(error: BaseException) -> tuple[str, list[str]]:
    place = failing_place(error)
    assert place is not None
    names = names_of_line("".join(source_of(place)), place.line)
    return variables_text(names, ChainMap(dict(place.frame.f_locals), place.frame.f_globals), mask)


def test_a_function_of_a_module(module: Any, tmp_path: Path) -> None:
    """An error in a module has its frames, the lines around the failing one, and no folder of this machine."""
    error = raised(module.outer, [{"x": 1}, {"y": 2}])
    text = traceback_text(error, mask)
    assert text.endswith("KeyError: 'x'")
    assert '  shop/sums.py, line 4, in outer\n    total += inner(row, "x")' in text
    assert "    > 11         row[name]" in text
    assert "      9     factor = 2" in text
    assert str(tmp_path) not in text
    said, names = variables(error)
    assert names == ["factor", "row", "name"]
    assert said == "- factor: int = 2\n- row: dict, 1 items = {'y': 2}\n- name: str, 1 characters = 'x'"


def test_a_chain_and_a_deep_stack_are_bounded(module: Any) -> None:
    """The cause stands first; of hundreds of frames some stand there, with the number of the others."""
    text = traceback_text(raised(module.chained), mask)
    cause, effect = text.split("\n\nThis exception caused the next one:\n\n")
    assert cause.endswith("ZeroDivisionError: division by zero")
    assert effect.endswith("ValueError: no sum")
    text = traceback_text(raised(module.deep, 300), mask)
    assert "… 291 more frames" in text
    assert len(text) < 3000


class Rude(Exception):
    def __str__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    ("error", "ends"),
    [
        (ValueError(f"key {KEY}"), "ValueError: key •••"),
        (ValueError("x" * 5_000_000), f"… of {5_000_012:,} characters"),
        (ValueError("x" * (MESSAGE - 14) + KEY), "… of 2,011 characters"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
        (Rude(), "Rude: <it has no message>"),
        (SyntaxError("invalid syntax", ("/tmp/ipykernel_7/123.py", 1, 3, "a b", 1, 4)), "SyntaxError: invalid syntax"),
    ],
)
def test_a_message_is_masked_and_bounded(error: BaseException, ends: str) -> None:
    """Keys are masked before anything is cut; what has no message, and no frames, is one line."""
    text = traceback_text(error, mask)
    assert text.endswith(ends)
    assert len(text) < MESSAGE + 100
    assert "sk-0" not in text
    assert "/tmp" not in text


class Loud:
    def __init__(self) -> None:
        self.size = 3

    @property
    def asked(self) -> int:
        raise AssertionError("no property is asked")

    def __repr__(self) -> str:
        raise ValueError


class Table:
    shape = (10**9, 2)
    columns = ("a", "b")

    def head(self, rows: int) -> list[int]:
        raise AssertionError("no row is read")

    iloc = head


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("n", 3, "int = 3"),
        ("text", f"a {KEY} b", "str, 17 characters = 'a ••• b'"),
        ("api_key", "abc", "str, hidden, because its name says that it is secret"),
        ("config", {"db_password": "hunter2", "port": 1}, "dict, 2 items = {'db_password': •••, 'port': 1}"),
        ("tokens", "a b", "str, 3 characters = 'a b'"),
        ("token", "abc", "str, hidden, because its name says that it is secret"),
        ("token_count", 3, "int = 3"),
        ("huge", "x" * 10**7, f"str, 10,000,000 characters = '{'x' * (VALUE - 1)}…"),
        ("loud", Loud(), "Loud, its repr raises an exception"),
        ("loud.size", Loud(), "int = 3"),
        ("loud.asked", Loud(), "Loud, its repr raises an exception"),
    ],
)
def test_a_variable_is_one_short_line(name: str, value: object, said: str) -> None:
    """Type, shape and a short value; secrets are hidden, no property is asked, and a repr that raises is said."""
    text, _ = variables_text([name], {name.partition(".")[0]: value}, mask)
    assert text.replace("tests.Loud", "Loud") == f"- {name}: {said}"


def test_what_is_no_data_is_left_out() -> None:
    """Modules, functions and classes are no variables of a line, and of very many names only the first are shown."""
    scope = {"pytest": pytest, "f": mask, "Loud": Loud, "n": 1}
    assert variables_text(["pytest", "f", "Loud", "missing", "n"], scope, mask) == ("- n: int = 1", ["n"])
    many = {f"v{n}": n for n in range(50)}
    text, names = variables_text(list(many), many, mask)
    assert len(names) == MOST
    assert text.endswith("- …")


@pytest.mark.parametrize(
    ("source", "line", "names"),
    [
        ("a = b + c.d[e]\nf", 1, ["a", "b", "c.d", "e"]),
        ("for x in y:\n    z(x)\n", 1, ["x", "y"]),
        ("for x in y:\n    z(x)\n", 2, ["z", "x"]),
        ("call(\n    one,\n    two,\n)", 3, ["call", "one", "two"]),
        ("await thing(a)", 1, ["thing", "a"]),
        ("a b\nc.d + e", 2, ["c.d", "e"]),
        ("", 7, []),
    ],
)
def test_the_names_of_a_line(source: str, line: int, names: list[str]) -> None:
    """The statement of a line counts, without the blocks below it; code that cannot be parsed is read by words."""
    assert names_of_line(source, line) == names
