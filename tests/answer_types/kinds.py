"""Types that answers may have, as users write them in a notebook."""

import datetime as dt
import decimal
import enum
import uuid
from dataclasses import dataclass, field
from typing import Annotated, Any, Generic, Literal, NamedTuple, TypedDict, TypeVar

from pydantic import BaseModel, ConfigDict, Field

T = TypeVar("T")


@dataclass
class City:
    """A city, as a dataclass of the standard library."""

    name: str
    population: int
    twins: list[str] = field(default_factory=list)


class Country(BaseModel):
    name: str
    cities: list[City]
    founded: dt.date | None = None


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str


class Row(TypedDict):
    name: str
    age: int


class Partial(TypedDict, total=False):
    name: str
    rows: list[Row]


class Pair(NamedTuple):
    left: int
    right: str = "r"


class Mood(enum.Enum):
    GOOD = "good"
    BAD = "bad"


class Size(str, enum.Enum):
    SMALL = "s"
    LARGE = "l"


class Tree(BaseModel):
    name: str
    children: list["Tree"] = []


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int


class Dog(BaseModel):
    kind: Literal["dog"]
    bark: str


class Pet(BaseModel):
    pet: Cat | Dog = Field(discriminator="kind")


class Aliased(BaseModel):
    full_name: str = Field(alias="fullName")


class Box(BaseModel, Generic[T]):
    it: T


class Price(BaseModel):
    amount: decimal.Decimal
    share: Annotated[float, Field(ge=0, le=1)]


Age = Annotated[int, Field(ge=0, le=150)]

SCHEMA = {
    "title": "Team",
    "type": "object",
    "properties": {
        "lead": {"$ref": "#/$defs/person"},
        "members": {"type": "array", "items": {"$ref": "#/$defs/person"}},
    },
    "required": ["lead"],
    "$defs": {"person": {"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]}},
}

# What stands behind -f: a text that fits, and the value that it is.
FITS: dict[str, tuple[str, Any]] = {
    "str": ('"a"', "a"),
    "int": ("12", 12),
    "float | None": ("null", None),
    "City": ('{"name": "Lima", "population": 10}', City("Lima", 10)),
    "list[City]": ('[{"name": "Lima", "population": 10, "twins": ["x"]}]', [City("Lima", 10, ["x"])]),
    "Country": (
        '{"name": "Peru", "cities": [{"name": "Lima", "population": 1}], "founded": "1821-07-28"}',
        Country(name="Peru", cities=[City("Lima", 1)], founded=dt.date(1821, 7, 28)),
    ),
    "dict[str, int]": ('{"a": 1}', {"a": 1}),
    "dict[str, City]": ('{"a": {"name": "A", "population": 1}}', {"a": City("A", 1)}),
    "Row": ('{"name": "Ada", "age": 36}', {"name": "Ada", "age": 36}),
    "Partial": ('{"rows": [{"name": "Ada", "age": 36}]}', {"rows": [{"name": "Ada", "age": 36}]}),
    "list[Row]": ('[{"name": "Ada", "age": 36}]', [{"name": "Ada", "age": 36}]),
    "Pair": ('[1, "b"]', Pair(1, "b")),
    "Mood": ('"good"', Mood.GOOD),
    "list[Mood]": ('["good", "bad"]', [Mood.GOOD, Mood.BAD]),
    "Literal['positive', 'negative', 'neutral']": ('"neutral"', "neutral"),
    "Literal[1, -1, None, True]": ("-1", -1),
    "Literal[Size.SMALL, Size.LARGE]": ('"l"', Size.LARGE),
    "City | Row": ('{"name": "Ada", "age": 36}', {"name": "Ada", "age": 36}),
    "Optional[Union[int, str]]": ('"a"', "a"),
    "datetime.date": ('"2026-11-29"', dt.date(2026, 11, 29)),
    "datetime.timedelta": ('"PT90S"', dt.timedelta(seconds=90)),
    "uuid.UUID": ('"00000000-0000-0000-0000-00000000000a"', uuid.UUID(int=10)),
    "decimal.Decimal": ("1.25", decimal.Decimal("1.25")),
    "Price": ('{"amount": 12.50, "share": 0.5}', Price(amount=decimal.Decimal("12.5"), share=0.5)),
    "Age": ("36", 36),
    "Tree": ('{"name": "a", "children": [{"name": "b"}]}', Tree(name="a", children=[Tree(name="b")])),
    "Pet": ('{"pet": {"kind": "dog", "bark": "wau"}}', Pet(pet=Dog(kind="dog", bark="wau"))),
    "Aliased": ('{"fullName": "Ada L."}', Aliased(fullName="Ada L.")),
    "Box[City]": ('{"it": {"name": "Lima", "population": 1}}', Box[City](it=City("Lima", 1))),
    "tuple[int, str]": ('[1, "a"]', (1, "a")),
    "tuple[int, ...]": ("[1, 2, 3]", (1, 2, 3)),
    "set[str]": ('["a", "a"]', {"a"}),
    "List['City']": ('[{"name": "Lima", "population": 1}]', [City("Lima", 1)]),
    "schemas['team']": ('{"lead": {"age": 3}}', {"lead": {"age": 3}}),
    "SCHEMA": ('{"lead": {"age": 3}, "members": [{"age": 4}]}', {"lead": {"age": 3}, "members": [{"age": 4}]}),
    "json": ('{"a": [1]}', {"a": [1]}),
}
NAMES = {
    **{name: value for name, value in dict(globals()).items() if not name.startswith("_")},
    "datetime": dt,
    "schemas": {"team": SCHEMA},
}
