"""Functions of every kind, as users write them, for the tests of what a model is sent about them."""

import datetime as dt
import enum
import functools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Optional, Union

from pydantic import BaseModel, Field
from typing_extensions import TypedDict


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Point:
    x: float
    y: float = 0.0


class City(BaseModel):
    name: str
    population: int | None = None


class Filter(TypedDict, total=False):
    tag: str
    limit: int


def one_text(city: str) -> str:
    """Say the weather."""


def two_numbers(a: int, b: int) -> int:
    """Add two numbers.

    Args:
        a: The first number
        b (int): The second number

    Returns:
        int: The sum of both
    """


def google(city: str, days: int, exact: bool) -> str:
    """Say the weather of some days.

    It is right most of the time.

    Args:
        city: The name of the city,
            in English.
        days: How many days.
        exact: Whether to be exact.

    Raises:
        ValueError: There is none.
    """


def numpy_style(city: str, days: int = 1) -> str:
    """Say the weather.

    Parameters
    ----------
    city : str
        The name of the city.
    days : int, optional
        How many days.
    """


def sphinx_style(city: str, days: int = 1) -> str:
    """Say the weather.

    :param city: The name of the city.
    :param days: How many days.
    :type days: int
    :returns: a line
    """


def no_docstring(city: str):
    pass


def no_annotations(city, days=2):  # noqa: D417
    """Say the weather.

    Args:
        city: The name.
    """


def typed_by_docstring(count, names):
    """Count.

    Args:
        count (int): How many.
        names (list): Which.
    """


def defaults(city: str, days: int = 3, unit: str = "C") -> str:
    """Say the weather."""


def optional(city: str, days: Optional[int] = None) -> str:  # noqa: UP045
    """Say the weather."""


def optional_new(city: str, days: int | None = None) -> str:
    """Say the weather."""


def optional_needed(days: int | None) -> str:
    """Say the weather."""


def union(value: Union[int, str]) -> str:  # noqa: UP007
    """Take either."""


def literal(unit: Literal["C", "F"]) -> str:
    """Take one of two."""


def literal_numbers(level: Literal[1, 2, 3]) -> str:
    """Take one of three."""


def enumerated(colour: Colour) -> str:
    """Take a colour."""


def listed(names: list[str]) -> str:
    """Take names."""


def mapped(ages: dict[str, int]) -> str:
    """Take ages."""


def paired(place: tuple[float, float]) -> str:
    """Take a place."""


def dated(day: dt.date) -> str:
    """Take a day."""


def with_dataclass(point: Point) -> str:
    """Take a point."""


def with_model(city: City, others: list[City]) -> str:
    """Take cities."""


def with_typed_dict(filter: Filter) -> str:  # noqa: A002
    """Take a filter."""


def annotated(days: Annotated[int, Field(description="How many days.", ge=1)]) -> str:
    """Take days."""


def anything(value: Any) -> str:
    """Take anything."""


def keyword_only(*, city: str, days: int = 1) -> str:
    """Say the weather."""


def positional_only(city: str, days: int = 1, /) -> str:
    """Say the weather."""


def nothing_needed() -> str:
    """Say the time."""


async def asynchronous(city: str) -> str:
    """Say the weather later."""


def generator(count: int):
    """Yield."""
    yield count


def wrapping(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)

    return wrapper


@wrapping
def decorated(city: str) -> str:
    """Say the weather."""


class Shop:
    """A shop."""

    def prices(self, item: str) -> float:
        """Say a price."""

    @classmethod
    def of(cls, name: str) -> str:
        """Make one."""

    @staticmethod
    def tax(amount: float) -> float:
        """Say the tax."""


class Multiplier:
    """Multiplies."""

    def __call__(self, factor: int) -> int:
        """Multiply by a factor."""


partial = functools.partial(defaults, days=5)


def starred(*cities: str) -> str:
    """Take many."""


def double_starred(**cities: str) -> str:
    """Take many."""


def unknown_type(city: "Nowhere") -> str:  # noqa: F821
    """Take what is not defined."""


def not_json(handler: Shop) -> str:
    """Take what no model can write."""


class Tree(BaseModel):
    children: list["Tree"] = []


def recursive(tree: Tree) -> str:
    """Take a tree."""


def total(groups: Iterable[Iterable[int]]) -> int:
    """Add up."""
    return sum(map(sum, groups))
