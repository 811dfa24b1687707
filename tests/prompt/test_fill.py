"""Filling of `{{name}}`: what resolves, what stays as typed, and what is said of it."""

import collections
import dataclasses
import os
import types
import warnings

import pytest

from ollama_magic.prompt.fill import Filled, fill


class Failing:
    """Everything that it is asked fails."""

    def __repr__(self):
        raise ValueError("secret")

    @property
    def size(self):
        raise KeyError("secret")

    def __getitem__(self, index):
        raise RuntimeError("secret")


class Ending:
    """It ends the program when it is written."""

    def __repr__(self):
        raise SystemExit(3)


class Markdown:
    def _repr_markdown_(self):
        return "**bold** {{name}}"


class Both(Markdown):
    def _repr_llm_(self):
        return "for a model"


def square(x):
    return x * x


@dataclasses.dataclass
class Point:
    x: int
    y: object = dataclasses.field(default=None)


@pytest.fixture
def variables():
    return {
        "name": "Ada",
        "n": 2,
        "rows": ["a", "b", "c"],
        "d": {"k": {"deep": 1}, "key": "v", 3: "three"},
        "In": ["", "x = 1", "y = 2", "z = 3"],
        "Out": {5: 55},
        "_": "last",
        "point": Point(1, "up"),
        "default": collections.defaultdict(list),
        "failing": Failing(),
        "ending": Ending(),
        "markdown": Markdown(),
        "both": Both(),
        "square": square,
        "os": os,
        "template": "{{name}} again",
        "数据": "中文",
    }


def test_names_dots_and_brackets_are_filled(variables):
    """A name, with dots and brackets behind it, becomes the value that it leads to."""
    assert fill("{{name}} {{ name }} {{d['k'][\"deep\"]}} {{d[3]}}", variables).text == "Ada Ada 1 three"
    assert fill("{{rows[0]}} {{rows[-1]}} {{rows[n]}} {{rows[:2]}}", variables).text == "a c c ['a', 'b']"
    assert fill("{{point.y}} {{数据}}", variables).text == "up 中文"


def test_the_notebook_s_own_history_is_filled(variables):
    """In, Out and _ are variables like others."""
    assert fill("{{In[3]}} {{Out[5]}} {{_}}", variables).text == "z = 3 55 last"


@pytest.mark.parametrize(
    "typed",
    [
        "{name} $name %name %(name)s ${name}",
        "{{{name}}} {{{{name}}}} {{ {name} }}",
        "{{}} {{ }} {{{}}} }}{{",
        "{{ name | upper }}x{{ for }}",
        "{{ user.name|e }} {% if name %}",
        '{"a": {"b": {}}} {{"name": 1}}',
        "{{name\n}}",
        "{{name!r}} {{name:>10}}",
        r"\frac{{1}}{{2}} {{'name'}} {{[1]}}",
    ],
)
def test_other_braces_are_never_touched(variables, typed):
    """Single braces, dollars, percents, and the fields of other languages pass without a word."""
    if "|" in typed:
        variables.pop("name")
    assert fill(typed, variables) == Filled(typed)


def test_braces_of_json_around_a_field_stay(variables):
    """A field in a JSON text is filled, and the braces that close the text are kept."""
    assert fill('{"a":{"b":{{name}}}}', variables).text == '{"a":{"b":Ada}}'


@pytest.mark.parametrize(
    ("field", "why"),
    [
        ("nmae", "no such variable; nearest: name"),
        ("zzzz", "no such variable"),
        ("d['kex']", "d has no 'kex'; nearest: key"),
        ("d.k", "d has no k"),
        ("point.z", "point has no z"),
        ("rows[7]", "rows has no 7"),
        ("rows['a']", "rows has no 'a'"),
        ("rows[zzzz]", "no such variable"),
        ("name.uper", "name has no uper; nearest: name.upper"),
        ("name.upper()", "only names, dots and […] are filled, nothing is called or computed"),
        ("n + 1", "only names, dots and […] are filled, nothing is called or computed"),
        ("name | n", "only names, dots and […] are filled, nothing is called or computed"),
        ("name.__class__", "private names are not filled in"),
        ("square.__globals__['os']", "private names are not filled in"),
        ("point._x", "private names are not filled in"),
        ("__builtins__", "private names are not filled in"),
        ("os", "os is a module"),
        ("os.path", "os.path is a module"),
        ("os.getcwd", "its source is not available"),
        ("failing", "its description fails with ValueError"),
        ("ending", "its description fails with SystemExit"),
        ("failing.size", "failing.size fails with KeyError"),
        ("failing[0]", "failing[0] fails with RuntimeError"),
    ],
)
def test_what_does_not_resolve_stays_and_is_said(variables, field, why):
    """A field that leads nowhere stays as typed, and a note says why, with the nearest name."""
    filled = fill(f"a {{{{{field}}}}} b", variables)
    assert filled.text == f"a {{{{{field}}}}} b"
    assert filled.notes == (f"{{{{{field}}}}} stays as typed: {why}",)


def test_a_note_is_one_line():
    """A key that would break the line is not offered as the nearest, and a long field is shortened."""
    assert fill("{{d['key']}}", {"d": {"key\n": 1}}).notes == ("{{d['key']}} stays as typed: d has no 'key'",)
    assert len(fill("{{" + "x" * 200 + "}}", {}).notes[0]) < 100


def test_looking_changes_nothing(variables):
    """A defaultdict is not given the item that it is asked for."""
    assert fill("{{default['x']}}", variables).text == "{{default['x']}}"
    assert variables["default"] == {}


@pytest.mark.parametrize("field", ["os.environ", "os.environ['SECRET']", "os.environb", "env", "env['SECRET']"])
def test_the_environment_cannot_be_filled(variables, monkeypatch, field):
    """Neither os.environ nor a part of it gets into a prompt, by whatever name."""
    monkeypatch.setenv("SECRET", "hush-hush")
    filled = fill(f"{{{{{field}}}}}", {**variables, "env": os.environ})
    assert filled.text == f"{{{{{field}}}}}"
    assert filled.notes[0].endswith("the environment is never filled in")


@pytest.mark.parametrize(
    "holder", [list, tuple, lambda items: {"e": items[0]}, lambda items: types.SimpleNamespace(e=items[0])]
)
def test_what_holds_the_environment_hides_it(monkeypatch, holder):
    """The environment inside another object is not told either."""
    monkeypatch.setenv("SECRET", "hush-hush")
    assert "hush-hush" not in fill("{{x}}", {"x": holder([os.environ])}).text


def test_notes_name_what_was_filled(variables):
    """One note names everything filled, once each, in the order of the prompt."""
    assert fill("{{name}} {{rows[0]}} {{name}}", variables).notes == ("filled name, rows[0]",)
    assert fill("nothing {here}", variables).notes == ()


def test_a_value_is_not_filled_again(variables):
    """Braces that come with a value stay what they are."""
    assert fill("{{template}} {{markdown}}", variables).text == "{{name}} again **bold** {{name}}"


def test_objects_describe_themselves(variables):
    """_repr_llm_ is asked first, then _repr_markdown_; a class is not asked, but shown by its source."""
    assert fill("{{both}}", variables).text == "for a model"
    assert fill("{{Both}}", {"Both": Both}).text.startswith("class Both(Markdown):")
    assert fill("{{square}}", variables).text == "def square(x):\n    return x * x"


def test_keys_are_masked_everywhere():
    """A key that we hold is hidden in texts, containers, tables' cells, descriptions, names, and at the cut."""

    class Holder:
        def __repr__(self):
            return "Holder('hush-hush')"

    def mask(text):
        return text.replace("hush-hush", "•••").replace("hush\n'hush", "•••")

    values = [
        "a hush-hush b",
        ["hush-hush"],
        {"hush-hush": {"x": "hush-hush"}},
        Holder(),
        [Holder()],
        "x" * 7_995 + "hush-hush" * 600,
    ]
    values += [["x" * 7_990, "hush-hush" * 600], ["hush-hush"] * 5_000, "hush-hush" * 2_000, Point(1, "hush\n'hush")]
    for value in values:
        filled = fill("{{x}} {{d['hush-hush']}}", {"x": value, "d": {}}, mask)
        text = " ".join([filled.text.partition(" {{d[")[0], *filled.notes])
        assert "•••" in text
        assert "hush" not in text


def test_reading_a_field_warns_of_nothing(variables):
    """An escape that Python would warn of, in a field, is no warning here."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert fill(r"{{d['\d']}}", variables).text == r"{{d['\d']}}"


def test_a_deep_or_long_field_is_harmless(variables):
    """Brackets without end and very long fields stay as typed."""
    for field in ("name" + "[0" * 90, "(" * 250, "a." * 140 + "b", "x" * 5_000):
        assert fill(f"{{{{{field}}}}}", variables).text == f"{{{{{field}}}}}"
