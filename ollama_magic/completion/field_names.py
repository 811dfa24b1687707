"""Completions after `{{`: names, attributes and keys, found without running the user's code."""

from __future__ import annotations

import ast
import inspect
import re
import types
from itertools import islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

LIMIT = 300
_ATTRIBUTE = re.compile(r"(?P<owner>.*)\.(?P<typed>\w*)\Z", re.DOTALL)
_ITEM = re.compile(r"(?P<owner>.*)\[(?P<typed>[^\[\]]*)\Z", re.DOTALL)
_PLAIN = frozenset({str, int, float, bool})
_METHODS = (
    *(types.FunctionType, types.BuiltinFunctionType, types.MethodDescriptorType, types.WrapperDescriptorType),
    *(types.ClassMethodDescriptorType, staticmethod, classmethod),
)
_NOTHING = object()


def fields(typed: str, variables: Mapping[str, object], hidden: Mapping[str, object]) -> tuple[str, list[str]]:
    """Return the part of `typed` to replace, and its completions."""
    for pattern, offered in ((_ITEM, _keys), (_ATTRIBUTE, _attributes)):
        if match := pattern.fullmatch(typed):
            value = _follow(match["owner"], variables)
            names: Iterable[str] = () if value is _NOTHING else islice(offered(value), LIMIT)
            names = map(_double_quoted, names) if match["typed"].startswith('"') else names
            return match["typed"], [name for name in names if name.startswith(match["typed"])]
    return typed, _names(typed, variables, hidden)


def _double_quoted(key: str) -> str:
    """Return a key with the quotes that stand there already."""
    return f'"{key[1:-1]}"' if key[0] == "'" and not re.search(r'["\\]', key) else key


def _names(typed: str, variables: Mapping[str, object], hidden: Mapping[str, object]) -> list[str]:
    own = [
        name
        for name, value in list(variables.items())
        if type(name) is str
        and not name.startswith("_")
        and name not in hidden
        and not issubclass(type(value), types.ModuleType)
    ]
    return sorted(name for name in own + ["In", "Out"] * bool(typed) if name.startswith(typed))


def _follow(path: str, variables: Mapping[str, object]) -> Any:
    """Return the value at a path of names, static attributes, and keys of plain containers."""
    try:
        tree = ast.parse(path.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return _NOTHING
    return _value(tree, variables)


def _value(node: ast.expr, variables: Mapping[str, object]) -> Any:
    if isinstance(node, ast.Name):
        return variables.get(node.id, _NOTHING)
    if isinstance(node, ast.Attribute):
        return _static(_value(node.value, variables), node.attr)
    if isinstance(node, ast.Subscript):
        return _item(_value(node.value, variables), node.slice)
    return _NOTHING


def _static(value: Any, name: str) -> Any:
    """Return a stored attribute, never a property's value."""
    if value is _NOTHING:
        return _NOTHING
    found = inspect.getattr_static(value, name, _NOTHING)
    if type(found) is types.MemberDescriptorType and not isinstance(value, type):  # a slot; reading it runs no code
        try:
            return found.__get__(value)
        except AttributeError:
            return _NOTHING
    return _NOTHING if hasattr(type(found), "__get__") else found


def _item(value: Any, node: ast.expr) -> Any:
    try:
        key = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError):
        return _NOTHING
    if type(value) not in (dict, list, tuple) or type(key) not in _PLAIN:
        return _NOTHING
    try:
        return value[key]
    except (LookupError, TypeError):
        return _NOTHING


def _attributes(value: Any) -> Iterator[str]:
    """Return columns, then attributes of the object, then of its classes, without methods."""
    of_class = [
        name
        for one in type.mro(type(value))
        for name, what in vars(one).items()
        if not issubclass(type(what), _METHODS)
    ]
    names = dict.fromkeys([*_columns(value), *_instance_names(value), *sorted(of_class)])
    return (name for name in names if type(name) is str and name.isidentifier() and not name.startswith("_"))


def _instance_names(value: Any) -> list[Any]:
    """Return the keys of an object's own dictionary, if it has one."""
    for one in type.mro(type(value)):
        found = vars(one).get("__dict__")
        if found is not None:
            return list(found.__get__(value)) if type(found) is types.GetSetDescriptorType else []
    return []


def _keys(value: Any) -> Iterator[str]:
    """Return the keys of a dictionary, columns of a data frame, or indexes of a list."""
    if issubclass(type(value), dict):
        return (repr(key) for key in list(dict.keys(value)) if type(key) in _PLAIN)
    if type(value) in (list, tuple):
        return (str(place) for place in range(min(len(value), 20)))
    return (repr(name) for name in _columns(value) if type(name) in _PLAIN)


def _columns(value: Any) -> list[Any]:
    """Return the columns of a pandas data frame; a subclass could run code of its own."""
    kind = type(value)
    if (kind.__module__.partition(".")[0], kind.__qualname__) != ("pandas", "DataFrame"):
        return []
    try:
        return list(value.columns[:LIMIT])
    except Exception:  # noqa: BLE001  # Tab must not fail because of a library
        return []
