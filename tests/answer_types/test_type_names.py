"""What stands behind `-f` is looked up by name and never evaluated."""

import datetime as dt
import enum
import typing
from types import ModuleType

import pytest

from ollama_magic.answer_types.answer_format import format_named
from ollama_magic.answer_types.type_names import type_named
from ollama_magic.errors import InputError
from tests.answer_types.kinds import NAMES, City, Mood

RAN: list[str] = []


def _note(name):
    def ran(*args, **kwargs):
        RAN.append(name)
        return City

    return ran


class _Meta(type):
    __getattr__ = _note("meta getattr")
    __getitem__ = _note("meta getitem")
    __or__ = _note("meta or")
    __ror__ = _note("meta ror")
    __call__ = _note("meta call")


class Trap(metaclass=_Meta):
    """A class whose every reading is code."""

    __class_getitem__ = classmethod(_note("class getitem"))


class Own:
    __class_getitem__ = classmethod(_note("own class getitem"))


class Thing:
    """An object whose every reading is code."""

    __class__ = property(_note("class"))
    __getattr__ = _note("getattr")
    __getitem__ = _note("getitem")
    __or__ = _note("or")
    __ror__ = _note("ror")
    __call__ = _note("call")
    __mro_entries__ = _note("mro")
    __len__ = _note("len")
    __iter__ = _note("iter")
    __bool__ = _note("bool")


class Described:
    @property
    def kind(self):
        RAN.append("property")
        return City


class Lazy(ModuleType):
    __getattr__ = _note("module getattr")


class Keys(dict):
    __getitem__ = _note("dict getitem")
    __missing__ = _note("missing")


HOSTILE = {
    **NAMES,
    "Trap": Trap,
    "Own": Own,
    "thing": Thing(),
    "described": Described(),
    "Described": Described,
    "lazy": Lazy("lazy"),
    "keys": Keys(a=City),
    "plain": {"a": 1},
    "run": _note("function"),
    "os": __import__("os"),
    "builtins": __import__("builtins"),
    "subprocess": __import__("subprocess"),
    "sys": __import__("sys"),
}
ATTACKS = [
    "run()",
    "run",
    "__import__('os').system('id')",
    "__import__",
    "__builtins__",
    "eval('run()')",
    "exec",
    "open('/etc/passwd')",
    "os.system('id')",
    "os.system",
    "os.environ",
    "os.environ['HOME']",
    "builtins.eval",
    "subprocess.run",
    "sys.modules['os']",
    "sys.modules['os'].path",
    "(lambda: run())()",
    "lambda: City",
    "[run() for x in 'a']",
    "list[run()]",
    "list[[run() for x in 'a']]",
    "list[(x := run())]",
    "(x := City)",
    "City if run() else City",
    "run() or City",
    "not run()",
    "f'{run()}'",
    "list[f'{run()}']",
    "Literal[run()]",
    "Literal[f'{run()}']",
    "list['run()']",
    "list[\"__import__('os').system('id')\"]",
    "Annotated[int, run()]",
    "Trap",
    "Trap[int]",
    "Trap.anything",
    "Trap | int",
    "Trap()",
    "Own[int]",
    "thing",
    "thing.x",
    "thing[0]",
    "thing | int",
    "list[thing]",
    "described.kind",
    "Described.kind",
    "lazy.City",
    "keys['a']",
    "keys['b']",
    "plain[run()]",
    "plain['a']",
    "plain[0:1]",
    "City.__class__",
    "City.__init__.__globals__",
    "City.mro",
    "City.__subclasses__()",
    "Mood['GOOD']",
    "await run()",
    "yield run()",
    "*list",
    "{**run()}",
    "print(1); run()",
    "City\nrun()",
    "City #",
    "1 + 1",
    "City | 'run()'",
    "x" * 5000,
    "list[" * 300 + "int" + "]" * 300,
    "(" * 500 + "int" + ")" * 500,
    "list[" * 30 + "int" + "]" * 30,
    "ForwardRef['run()']",
    "NamedTuple",
    "get_type_hints",
    "\x00",
    "City\x00",
    "\u202eCity",
    "",
    " ",
]


@pytest.mark.parametrize("text", ATTACKS, ids=range(len(ATTACKS)))
def test_nothing_behind_f_is_run(text):
    """No call, operator, property, hook or subscript of anybody's code runs; it is a type, or one line."""
    RAN.clear()
    line = ""
    try:
        type_named(text, HOSTILE)
    except InputError as error:
        line = str(error)
    assert not set(line) & {"\n", "\x00"}
    assert len(line) < 500
    assert RAN == []


@pytest.mark.parametrize("text", [text for text in ATTACKS if "(" in text or "lambda" in text or ":" in text])
def test_an_expression_is_refused(text):
    """What would have to be evaluated is no format."""
    with pytest.raises(InputError):
        format_named(text, HOSTILE)


def test_names_are_those_of_the_notebook_first():
    """A variable hides a builtin; `typing` and the builtin types need no import; modules and classes have dots."""
    assert type_named("City", NAMES) is City
    assert type_named("list", {"list": City}) is City
    assert type_named("list[int]", {}) == list[int]
    assert type_named("Optional[int]", {}) == int | None
    assert type_named("datetime.date", {"datetime": dt}) is dt.date
    assert type_named("Outer.Inner", {"Outer": type("Outer", (), {"Inner": City})}) is City
    assert type_named("Literal[Mood.GOOD]", NAMES) == typing.Literal[Mood.GOOD]
    assert issubclass(type_named("Mood", NAMES), enum.Enum)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("Citty", "did you mean City"),
        ("xml", "there is json, a path"),
        ("list[Citty]", "nothing is called Citty"),
        ("City()", "give it a name in a cell"),
        ("datetime.dat", "there is no dat"),
        ("datetime", "a module"),
        ("SCHEMA['nothing']", "there is no 'nothing'"),
        ("list[SCHEMA]", "only types can stand within a type"),
        ("dict[int]", "cannot be the format"),
        ("int[str]", "cannot stand in its [ ]"),
        ("Literal[1.5]", "texts, whole numbers"),
    ],
)
def test_a_wrong_name_is_one_line_with_what_to_write(text, part):
    """The line names what is not there, and what is."""
    with pytest.raises(InputError) as caught:
        format_named(text, NAMES)
    assert part in str(caught.value)
    assert "\n" not in str(caught.value)
