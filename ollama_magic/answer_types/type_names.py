"""From `list[City]` to the type: names, dots, subscripts, `|` and literals, looked up by name and never evaluated."""

from __future__ import annotations

import ast
import builtins
import enum
import inspect
import types
import typing
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NoReturn

from ollama_magic.errors import InputError
from ollama_magic.foreign import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST, DEEPEST = 1000, 20  # characters of a name, subscripts within each other
EXAMPLE = "json, a path to a JSON Schema, or a type of the notebook such as City or list[City]"
_BUILTIN = ("list", "dict", "tuple", "set", "frozenset", "str", "int", "float", "bool", "object")
_PLAIN = (str, int, bool, type(None))
_ALIASES = (types.GenericAlias, types.UnionType)
_TYPING = ("typing", "typing_extensions")
_ABSENT = object()


def type_named(text: str, variables: Mapping[str, object]) -> Any:
    """Return the type, or the schema in a dict, that a text names.

    Args:
        text: Such as `City`, `models.City`, `list[City]`, `Literal["a", "b"]`, `City | None`, `schemas["city"]`.
        variables: Those of the notebook; then builtins and `typing` are looked into.

    Raises:
        InputError: The text is no name of a type, or nothing has the name. No code of any object is run.
    """
    if len(text) > LONGEST:
        raise InputError(f"-f: a type's name has at most {LONGEST:,} characters; give it a name in a cell.")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        _refuse(text, f"there is {EXAMPLE}")
    found = _Reader(text, variables).read(tree, 0)
    if type(found) is not dict and not is_type(found):
        _refuse(text, f"that is no type but {_kind(found)}; there is {EXAMPLE}")
    return found


def is_class(value: object) -> bool:
    """Whether this is a class; `isinstance` would ask the object itself, whose answer may be code."""
    return issubclass(type(value), type)


def is_type(value: object) -> bool:
    """Whether this can be a type: a class, an alias such as list[int], a union, a Literal."""
    return issubclass(type(value), (type, *_ALIASES)) or _module_of(type(value)) in _TYPING


class _Reader:
    """One reading of one text."""

    def __init__(self, text: str, variables: Mapping[str, object]) -> None:
        self._text, self._variables = text, variables

    def read(self, node: ast.expr, depth: int) -> Any:
        """Return what a part of the text stands for."""
        if depth > DEEPEST:
            _refuse(self._text, "it is nested too deeply")
        if isinstance(node, ast.Name):
            return self._name(node.id)
        if isinstance(node, ast.Attribute):
            return self._attribute(self.read(node.value, depth + 1), node.attr)
        if isinstance(node, ast.Subscript):
            return self._subscript(self.read(node.value, depth + 1), node.slice, depth + 1)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            sides = (self._argument(node.left, depth + 1), self._argument(node.right, depth + 1))
            return self._made(lambda: typing.Union[sides])  # noqa: UP007 (`|` would run a class's own code)
        if isinstance(node, ast.Constant) and node.value is None:
            return None
        return _refuse(self._text, "names, dots, [ ], | and literals only; give it a name in a cell, and write that")

    def _name(self, name: str) -> Any:
        if name.startswith("__"):
            _refuse(self._text, f"{name} is private")
        found = self._variables.get(name, _ABSENT)
        if found is _ABSENT and name in _BUILTIN:
            found = getattr(builtins, name)
        if found is _ABSENT and name in typing.__all__:
            found = vars(typing).get(name, _ABSENT)
        if found is _ABSENT:
            near = get_close_matches(name, [one for one in self._variables if isinstance(one, str)], 1, 0.6)
            hint = f"did you mean {one_line(near[0], 60)}" if near else f"there is {EXAMPLE}"
            _refuse(self._text, f"nothing is called {name} here; {hint}" if name != self._text else hint)
        return found

    def _attribute(self, owner: Any, name: str) -> Any:
        """An attribute of a module or a class as it is stored: no property and no `__getattr__` is asked."""
        if name.startswith("_"):
            _refuse(self._text, f"{name} is private")
        if issubclass(type(owner), types.ModuleType):
            found = types.ModuleType.__getattribute__(owner, "__dict__").get(name, _ABSENT)
        elif is_class(owner):
            found = inspect.getattr_static(owner, name, _ABSENT)
            if issubclass(type(owner), enum.EnumMeta):
                found = type.__getattribute__(owner, "__dict__").get("_member_map_", {}).get(name, found)
        else:
            _refuse(self._text, f"{name} belongs to no module and no class")
        if found is _ABSENT:
            _refuse(self._text, f"there is no {name}")
        return found

    def _subscript(self, owner: Any, index: ast.expr, depth: int) -> Any:
        if type(owner) in (dict, list, tuple):
            return self._item(owner, index)
        parts = index.elts if isinstance(index, ast.Tuple) else [index]
        if owner is typing.Literal:
            literals = tuple(self._literal(one, depth) for one in parts)
            return self._made(lambda: typing.Literal[literals])
        if not _takes_types(owner):
            _refuse(self._text, f"{ast.unparse(index)} cannot stand in its [ ]")
        arguments = tuple(self._argument(one, depth) for one in parts)
        return self._made(lambda: owner[arguments if len(arguments) > 1 else arguments[0]])

    def _item(self, owner: Any, index: ast.expr) -> Any:
        key = index.value if isinstance(index, ast.Constant) else _ABSENT
        if type(key) not in _PLAIN:
            _refuse(self._text, "only a text or a number can stand in its [ ]")
        try:
            return owner[key]
        except (LookupError, TypeError):
            return _refuse(self._text, f"there is no {one_line(repr(key), 60)}")

    def _argument(self, node: ast.expr, depth: int) -> Any:
        """A type within a type: a text is its name, as in annotations, and `...` stands for more of the same."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return _Reader(self._text, self._variables).read(_parsed(node.value, self._text), depth + 1)
        if isinstance(node, ast.Constant) and node.value is ...:
            return ...
        found = self.read(node, depth)
        if found is not None and not is_type(found):
            _refuse(self._text, f"only types can stand within a type, and no {_kind(found).partition(' ')[2]}")
        return found

    def _literal(self, node: ast.expr, depth: int) -> Any:
        """A text, a number, true, false or none; or a member of an Enum."""
        negative = isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub)
        constant = node.operand if negative and isinstance(node, ast.UnaryOp) else node
        if isinstance(constant, ast.Constant) and type(constant.value) in _PLAIN:
            return -constant.value if negative and type(constant.value) is int else constant.value
        found = self.read(node, depth) if isinstance(node, ast.Attribute) else _ABSENT
        if not issubclass(type(found), enum.Enum):
            _refuse(self._text, "a Literal holds texts, whole numbers, True, False and None")
        return found

    def _made(self, make: Any) -> Any:
        try:
            return make()
        except Exception as error:  # noqa: BLE001 (whatever `typing` says of arguments that do not fit)
            return _refuse(self._text, one_line(str(error).partition("\n")[0], 100).rstrip("."))


def _parsed(text: str, whole: str) -> ast.expr:
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return _refuse(whole, f"{one_line(text, 40)!r} is no name of a type")


def _takes_types(owner: Any) -> bool:
    """Whether its subscripts are Python's own: of builtins, of `typing`, of generic classes and models."""
    if not is_class(owner):
        return _module_of(type(owner)) in _TYPING
    method = inspect.getattr_static(owner, "__class_getitem__", _ABSENT)
    function = method.__func__ if type(method) is classmethod else method
    module = function.__module__ if type(function) is types.FunctionType else _module_of(type(function))
    own = inspect.getattr_static(type(owner), "__getitem__", _ABSENT) is not _ABSENT
    return method is not _ABSENT and not own and module in (*_TYPING, "pydantic.main", "builtins")


def _module_of(kind: type) -> object:
    return type.__getattribute__(kind, "__module__")


def _kind(value: object) -> str:
    name = one_line(str(type.__getattribute__(type(value), "__name__")), 40)
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def _refuse(text: str, why: str) -> NoReturn:
    raise InputError(f"{one_line(text, 80)!r} is no format of an answer; {why}.")
