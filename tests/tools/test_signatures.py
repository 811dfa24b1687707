"""What a model is sent about a function, compared with what ollama-python makes of those that it can describe."""

from __future__ import annotations

from typing import Any

import ollama
import pytest
from ollama._utils import convert_function_to_tool

from ollama_magic.errors import InputError
from ollama_magic.magics.caller_scope import caller_scope
from ollama_magic.tools.arguments import BadArguments
from ollama_magic.tools.listing import tool_of, tools_listed, tools_named
from tests.tools import functions as given

STRING, INTEGER, NUMBER = {"type": "string"}, {"type": "integer"}, {"type": "number"}
CITY = {"type": "object", "properties": {"name": STRING, "population": INTEGER}, "required": ["name"]}

# The function, its properties, and those that are needed.
DESCRIBED: dict[str, tuple[Any, dict[str, Any], list[str]]] = {
    "a text": (given.one_text, {"city": STRING}, ["city"]),
    "two numbers": (
        given.two_numbers,
        {
            "a": {**INTEGER, "description": "The first number"},
            "b": {**INTEGER, "description": "The second number"},
        },
        ["a", "b"],
    ),
    "Google's style": (
        given.google,
        {
            "city": {**STRING, "description": "The name of the city, in English."},
            "days": {**INTEGER, "description": "How many days."},
            "exact": {"type": "boolean", "description": "Whether to be exact."},
        },
        ["city", "days", "exact"],
    ),
    "NumPy's style": (
        given.numpy_style,
        {
            "city": {**STRING, "description": "The name of the city."},
            "days": {**INTEGER, "description": "How many days."},
        },
        ["city"],
    ),
    "Sphinx's style": (
        given.sphinx_style,
        {
            "city": {**STRING, "description": "The name of the city."},
            "days": {**INTEGER, "description": "How many days."},
        },
        ["city"],
    ),
    "no docstring": (given.no_docstring, {"city": STRING}, ["city"]),
    "no annotations": (
        given.no_annotations,
        {"city": {**STRING, "description": "The name."}, "days": INTEGER},
        ["city"],
    ),
    "types in the docstring": (
        given.typed_by_docstring,
        {
            "count": {**INTEGER, "description": "How many."},
            "names": {"type": "array", "description": "Which."},
        },
        ["count", "names"],
    ),
    "defaults": (given.defaults, {"city": STRING, "days": INTEGER, "unit": STRING}, ["city"]),
    "optional": (given.optional, {"city": STRING, "days": INTEGER}, ["city"]),
    "optional, written anew": (given.optional_new, {"city": STRING, "days": INTEGER}, ["city"]),
    "optional without a default": (given.optional_needed, {"days": INTEGER}, []),
    "a union": (given.union, {"value": {"type": ["integer", "string"]}}, ["value"]),
    "a literal": (given.literal, {"unit": {**STRING, "enum": ["C", "F"]}}, ["unit"]),
    "literal numbers": (given.literal_numbers, {"level": {**INTEGER, "enum": [1, 2, 3]}}, ["level"]),
    "an enum": (given.enumerated, {"colour": {**STRING, "enum": ["red", "blue"]}}, ["colour"]),
    "a list": (given.listed, {"names": {"type": "array", "items": STRING}}, ["names"]),
    "a dict": (given.mapped, {"ages": {"type": "object"}}, ["ages"]),
    "a tuple": (given.paired, {"place": {"type": "array", "items": {"type": "number"}}}, ["place"]),
    "a date": (given.dated, {"day": {**STRING, "description": "(date)"}}, ["day"]),
    "a dataclass": (
        given.with_dataclass,
        {
            "point": {
                "type": "object",
                "properties": {"x": {"type": "number"}, "y": {"type": "number"}},
                "required": ["x"],
            }
        },
        ["point"],
    ),
    "pydantic": (given.with_model, {"city": CITY, "others": {"type": "array", "items": CITY}}, ["city", "others"]),
    "a TypedDict": (
        given.with_typed_dict,
        {"filter": {"type": "object", "properties": {"tag": STRING, "limit": INTEGER}}},
        ["filter"],
    ),
    "annotated": (given.annotated, {"days": {**INTEGER, "description": "How many days."}}, ["days"]),
    "anything": (given.anything, {"value": STRING}, ["value"]),
    "keyword-only": (given.keyword_only, {"city": STRING, "days": INTEGER}, ["city"]),
    "positional-only": (given.positional_only, {"city": STRING, "days": INTEGER}, ["city"]),
    "nothing": (given.nothing_needed, {}, []),
    "asynchronous": (given.asynchronous, {"city": STRING}, ["city"]),
    "a generator": (given.generator, {"count": INTEGER}, ["count"]),
    "decorated": (given.decorated, {"city": STRING}, ["city"]),
    "a method": (given.Shop().prices, {"item": STRING}, ["item"]),
    "a classmethod": (given.Shop.of, {"name": STRING}, ["name"]),
    "a staticmethod": (given.Shop.tax, {"amount": {"type": "number"}}, ["amount"]),
    "a callable object": (given.Multiplier(), {"factor": INTEGER}, ["factor"]),
    "a partial": (given.partial, {"city": STRING, "unit": STRING}, ["city"]),
}
# Where this says more than ollama-python: what has a default need not be sent, and a list of types is no text.
NO_NAME = ("a callable object", "a partial")
OTHERWISE = ("a union",)


@pytest.mark.parametrize("kind", DESCRIBED)
def test_a_function_is_described(kind: str) -> None:
    """Name, types, descriptions and what is needed come from signature, annotations and docstring."""
    function, properties, required = DESCRIBED[kind]
    parameters = function_of(function)["parameters"]
    assert parameters == {"type": "object", "properties": properties, **({"required": required} if required else {})}


@pytest.mark.parametrize("kind", [kind for kind in DESCRIBED if kind not in NO_NAME])
def test_it_is_what_ollama_python_makes_of_it(kind: str) -> None:
    """Where ollama-python can describe a function, name and parameters are the same, and so are plain types."""
    function = DESCRIBED[kind][0]
    theirs = convert_function_to_tool(function).function
    ours = function_of(function)
    assert ours["name"] == theirs.name
    assert list(ours["parameters"]["properties"]) == list(theirs.parameters.properties or {})
    assert set(ours["parameters"].get("required", ())) <= set(theirs.parameters.required or ())
    for name, their in (theirs.parameters.properties or {}).items():
        our = ours["parameters"]["properties"][name]
        described = kind not in ("Google's style", "annotated", "a date", "NumPy's style", "Sphinx's style")
        assert not described or our.get("description", "") == (their.description or "")
        same = our["type"] == their.type or kind in OTHERWISE or their.type == "string"
        assert same


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (given.google, "Say the weather of some days.\n\nIt is right most of the time."),
        (given.two_numbers, "Add two numbers."),
        (given.numpy_style, "Say the weather."),
        (given.sphinx_style, "Say the weather."),
        (given.no_docstring, ""),
        (given.Multiplier(), "Multiply by a factor."),
        (given.partial, "Say the weather."),
    ],
)
def test_the_description_is_the_docstring_without_its_sections(function: Any, text: str) -> None:
    """What the function does stands first, and its parameters have their own descriptions."""
    assert function_of(function)["description"] == text


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (given.starred, "`*cities` takes anything"),
        (given.double_starred, "`**cities` takes anything"),
        (given.unknown_type, "Nowhere is not defined"),
        (given.not_json, "no model can write a Shop"),
        (given.recursive, "contains itself"),
        (lambda city: city, "a lambda has no name"),
        (5, "it is no function, but of the type int"),
        (type("Odd", (), {})(), "it is no function, but of the type Odd"),
    ],
)
def test_what_cannot_be_described_is_refused(function: Any, why: str) -> None:
    """One line says which function, and what to write instead."""
    with pytest.raises(InputError) as refused:
        tool_of(function, {}, "it")
    assert why in str(refused.value)
    assert "cannot be a tool" in str(refused.value)


@pytest.mark.parametrize(
    ("function", "sent", "got"),
    [
        (given.defaults, {"city": "Lima"}, ([], {"city": "Lima", "days": 3, "unit": "C"})),
        (given.optional_needed, {}, ([], {"days": None})),
        (given.positional_only, {"city": "Lima"}, (["Lima", 1], {})),
        (given.enumerated, {"colour": "red"}, ([], {"colour": given.Colour.RED})),
        (given.with_dataclass, {"point": {"x": "1"}}, ([], {"point": given.Point(1.0)})),
        (given.paired, {"place": [1, 2]}, ([], {"place": (1.0, 2.0)})),
    ],
)
def test_arguments_become_what_the_function_takes(function: Any, sent: dict[str, Any], got: Any) -> None:
    """Arguments are coerced by pydantic, and what is not sent has its default."""
    assert tool_of(function, {}).arguments.validated(sent) == got


def test_a_limit_of_the_user_counts() -> None:
    """A constraint of an annotation refuses a call, in one line."""
    with pytest.raises(BadArguments, match="days: Input should be greater than or equal to 1"):
        tool_of(given.annotated, {}).arguments.validated({"days": 0})


def test_items_are_validated_before_the_call() -> None:
    """An `Iterable` is a list, whose items are known to fit before anything is done with the first."""
    arguments = tool_of(given.total, {}).arguments
    assert arguments.validated({"groups": [[1, "2"]]}) == ([], {"groups": [[1, 2]]})
    with pytest.raises(BadArguments, match=r"^groups\.1: Input should be a valid integer"):
        arguments.validated({"groups": [[1], [2, "x"]]})


def test_names_with_dots() -> None:
    """A name may lead to a method of an object of the notebook; one that leads nowhere is refused."""
    variables = {"shop": given.Shop(), "weather": given.one_text}
    assert [one.name for one in tools_named(["shop.prices", "weather"], variables)] == ["prices", "one_text"]
    with pytest.raises(InputError, match="wether cannot be a tool: no such variable; nearest: weather"):
        tools_named(["wether"], variables)
    with pytest.raises(InputError, match="private names"):
        tools_named(["shop.__init__"], variables)


def test_two_tools_of_one_name_are_refused() -> None:
    """A model could not tell them apart; the same function twice is one tool."""
    other = {"one_text": type(given.one_text)(given.one_text.__code__, {}, "one_text")}["one_text"]
    assert len(tools_listed([given.one_text, given.one_text], {})) == 1
    with pytest.raises(InputError, match="Two tools are called one_text"):
        tools_listed([given.one_text, other], {})


@pytest.mark.parametrize("shape", ["dict", "Tool"])
def test_a_description_in_ollama_pythons_shape(shape: str) -> None:
    """A description of one's own is sent as it is, and runs the function of its name, if there is one."""
    made = convert_function_to_tool(given.two_numbers)
    made.function.description = "My own words."
    listed = made if shape == "Tool" else made.model_dump(exclude_none=True)
    (found,) = tools_listed([listed], {"two_numbers": given.two_numbers})
    assert found.description == "My own words."
    assert found.function is given.two_numbers
    assert isinstance(made, ollama.Tool)
    with pytest.raises(InputError, match="there is no function two_numbers that it could run"):
        tools_listed([listed], {})


def test_a_description_of_a_variable_without_a_value_is_refused() -> None:
    """As of a name that is not there: what it stands for is not yet known."""

    def ask() -> None:
        later = tools_listed([{"type": "function", "function": {"name": "later"}}], caller_scope({}))
        del later

    with pytest.raises(InputError, match="later cannot be a tool: it has no value yet"):
        ask()


def function_of(function: Any) -> dict[str, Any]:
    """What is sent about a function."""
    sent: Any = tool_of(function, {}, "listed").schema
    assert sent["type"] == "function"
    found: dict[str, Any] = sent["function"]
    return found
