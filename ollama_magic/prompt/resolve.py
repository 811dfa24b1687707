"""Resolves paths such as `df.columns[0]`: names, dots and `[…]`, never a call; refuses everything else."""

from __future__ import annotations

import ast
import builtins
import os
import sys
import types
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from itertools import islice
from typing import Any


class NotFilled(Exception):  # not an error: the field stays as typed
    """The reason why a field stays as typed."""


@dataclass(frozen=True)
class Found:
    """The value of a path."""

    value: object


def resolve(path: str, variables: Mapping[str, object]) -> Found | None:
    """Follow the path; raise NotFilled if it cannot be resolved, return None for a template's own field."""
    if not path.isidentifier() and path in variables:  # a column's name may hold spaces
        return Found(variables[path])
    tree = _parsed(path)
    if tree is None:
        return None
    if not _is_path(tree):
        _refuse_expression(tree, variables)
        return None
    value = _follow(tree, variables)
    if isinstance(value, types.ModuleType):
        raise NotFilled(f"{path} is a module")
    return Found(value)


def names_in(path: str) -> frozenset[str]:
    """Return the names of variables in a path such as `df.columns[i]`; none for a template's own field."""
    tree = _parsed(path)
    if tree is None:
        return frozenset()
    return frozenset(node.id for node in ast.walk(tree) if isinstance(node, ast.Name))


def is_environment(value: object) -> bool:
    """Whether this is the environment of the process, in any form."""
    hidden = [vars(sys.modules[name]).get("environ") for name in ("posix", "nt") if name in sys.modules]
    return isinstance(value, type(os.environ)) or any(value is one for one in hidden)


@lru_cache(maxsize=512)  # a template is filled for thousands of rows
def _parsed(path: str) -> ast.expr | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(path, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _is_path(node: ast.expr) -> bool:
    if isinstance(node, ast.Attribute):
        return _is_path(node.value)
    if isinstance(node, ast.Subscript):
        return _is_path(node.value) and _is_index(node.slice)
    return isinstance(node, ast.Name)


def _is_index(node: ast.expr | None) -> bool:
    if isinstance(node, ast.Slice):
        return all(part is None or _is_index(part) for part in (node.lower, node.upper, node.step))
    if isinstance(node, ast.Tuple):
        return all(_is_index(part) for part in node.elts)
    if isinstance(node, ast.UnaryOp):
        return isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant)
    return isinstance(node, ast.Constant) or (node is not None and _is_path(node))


def _refuse_expression(tree: ast.expr, variables: Mapping[str, object]) -> None:
    """Raise NotFilled for an expression with variables of the notebook; other templates' fields pass."""
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    bound = {node.id for node in nodes if isinstance(node.ctx, ast.Store)}
    names = {node.id for node in nodes} - bound
    if any(name in variables for name in names) and all(name in variables or hasattr(builtins, name) for name in names):
        raise NotFilled("only names, dots and […] are filled, nothing is called or computed")


def _follow(node: ast.expr, variables: Mapping[str, object]) -> Any:
    if isinstance(node, ast.Name):
        value = _variable(node.id, variables)
    elif isinstance(node, ast.Attribute):
        value = _attribute(_follow(node.value, variables), node)
    else:
        assert isinstance(node, ast.Subscript)
        value = _item(_follow(node.value, variables), _index(node.slice, variables), node)
    if is_environment(value):
        raise NotFilled("the environment is never filled in")
    return value


def _variable(name: str, variables: Mapping[str, object]) -> object:
    if name.startswith("__") and name.strip("_"):
        raise NotFilled("private names are not filled in")
    if name not in variables:
        raise NotFilled(f"no such variable{_nearest(name, variables)}")
    return variables[name]


def _attribute(value: Any, node: ast.Attribute) -> object:
    owner, name = ast.unparse(node.value), node.attr
    if name.startswith("_"):
        raise NotFilled("private names are not filled in")
    try:
        return getattr(value, name)
    except AttributeError:
        raise NotFilled(f"{owner} has no {name}{_nearest(name, _names_of(value), owner + '.')}") from None
    except Exception as error:  # noqa: BLE001  # a property runs the user's code
        raise NotFilled(f"{owner}.{name} fails with {type(error).__name__}") from None


def _item(value: Any, index: Any, node: ast.Subscript) -> object:
    owner, shown = ast.unparse(node.value), ast.unparse(node.slice)
    try:
        # A defaultdict would create the item on access.
        absent = isinstance(value, Mapping) and index not in value
        found = None if absent else value[index]
    except (LookupError, TypeError):
        raise NotFilled(f"{owner} has no {shown}") from None
    except Exception as error:  # noqa: BLE001  # the user's __getitem__
        raise NotFilled(f"{owner}[{shown}] fails with {type(error).__name__}") from None
    if absent:
        raise NotFilled(f"{owner} has no {shown}{_nearest(str(index), _keys_of(value))}")
    return found


def _index(node: ast.expr, variables: Mapping[str, object]) -> Any:
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.UnaryOp):
        assert isinstance(node.operand, ast.Constant)
        return _negative(node.operand.value)
    if isinstance(node, ast.Tuple):
        return tuple(_index(part, variables) for part in node.elts)
    if isinstance(node, ast.Slice):
        return slice(
            *(None if part is None else _index(part, variables) for part in (node.lower, node.upper, node.step))
        )
    return _follow(node, variables)


def _negative(value: Any) -> Any:
    if not isinstance(value, int | float):
        raise NotFilled("only numbers can be negative")
    return -value


def _names_of(value: object) -> list[str]:
    """Return the names of an object's attributes, for the nearest one."""
    try:
        return dir(value)
    except Exception:  # noqa: BLE001  # the user's __dir__
        return []


def _keys_of(value: Mapping[Any, object]) -> list[object]:
    """Return the first keys of a mapping, for the nearest one."""
    try:
        return list(islice(value, 1000))
    except Exception:  # noqa: BLE001  # the user's __iter__
        return []


def _nearest(name: str, names: Any, owner: str = "") -> str:
    known = [one for one in names if isinstance(one, str) and one.isprintable() and not one.startswith("_")]
    near = get_close_matches(name, known, 1, 0.6)
    return f"; nearest: {owner}{near[0]}" if near else ""
