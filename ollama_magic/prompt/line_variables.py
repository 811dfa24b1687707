"""The variables of one line of code, each with its type, its shape and a short value. Nothing of them is called."""

from __future__ import annotations

import ast
import re
import types
from typing import TYPE_CHECKING, Any

from ollama_magic.prompt import frames
from ollama_magic.prompt.outline import outline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Mask = Callable[[str], str]

MOST, VALUE = 12, 160  # variables; characters of a value
_LEAST = 6  # characters of a secret that is hidden wherever it stands
HIDDEN = "hidden, because its name says that it is secret"
_SECRET = re.compile(
    r"pass(?:word|wd|phrase)|secret|token(?![a-z])|api_?key|credential|private_?key|authorization", re.IGNORECASE
)
_ITEM = re.compile(
    rf"""((?:{_SECRET.pattern})\w{{0,40}}['"]?[^\S\n]{{0,9}}[:=][^\S\n]{{0,9}})(?:'[^'\n]*'?|"[^"\n]*"?)""",
    re.IGNORECASE,
)
_NAME = re.compile(r"(?<![\w.])[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_BODIES = frozenset({"body", "orelse", "finalbody", "handlers", "cases"})
_NOTHING = object()


def names_of_line(source: str, line: int) -> list[str]:
    """Return the names and `name.attribute` paths in the statement that holds a line, in their order.

    Args:
        source: The whole code of the file or cell.
        line: The number of the line, from 1.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        lines = source.splitlines()
        return list(dict.fromkeys(_NAME.findall(lines[line - 1]))) if 0 < line <= len(lines) else []
    holding = [node for node in ast.walk(tree) if isinstance(node, ast.stmt) and _holds(node, line)]
    if not holding:
        return []
    statement = min(holding, key=lambda node: (node.end_lineno or node.lineno) - node.lineno)
    return list(dict.fromkeys(_paths(statement)))


def names_of_code(source: str) -> list[str]:
    """Return the names that a whole piece of code uses, the newest first; those of a code that cannot be read: none."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    names = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name)]
    return list(dict.fromkeys(names[::-1]))


def variables_text(names: list[str], variables: Mapping[str, object], mask: Mask) -> tuple[str, list[str]]:
    """Return a line for each of these variables, and the names of those that are there.

    Modules, functions and classes are left out, and names that stand for nothing.

    Args:
        names: Names and paths; only an attribute that the object itself holds is looked at, no property.
        variables: What the names stand for.
        mask: Hides keys.
    """
    lines, found = list[str](), list[str]()
    for name in names:
        value = _value(name, variables)
        if value is _NOTHING or issubclass(type(value), _NO_DATA):
            continue
        if len(found) == MOST:
            lines.append("- …")
            break
        found.append(name)
        lines.append(f"- {name}: {_described(name, value, mask)}")
    return "\n".join(lines), found


_OPEN = (int, float, list, tuple, dict, set)  # numbers, and what is looked at item by item
_NO_DATA = (types.ModuleType, types.FunctionType, types.BuiltinFunctionType, types.MethodType, type)


def without_secrets(text: str) -> str:
    """Return code or a repr without the texts that are assigned to names such as `password` or `api_key`."""
    return _ITEM.sub(r"\1•••", text)


def secret_texts(variables: Mapping[str, object]) -> list[str]:
    """Return the texts that stand behind names such as `password` or `api_key`, the longest first.

    One of a few letters may be any word, and is none of them.
    """
    named = {value for name, value in variables.items() if type(name) is type(value) is str and _SECRET.search(name)}
    return sorted((text for text in named if len(text) >= _LEAST), key=len, reverse=True)


def _holds(node: ast.stmt, line: int) -> bool:
    return node.lineno <= line <= (node.end_lineno or node.lineno)


def _paths(node: ast.AST) -> Iterator[str]:
    """Yield the paths in a statement, without those in the blocks of a compound one."""
    path = _path(node)
    if path:
        yield path
        return
    for field, value in ast.iter_fields(node):
        if field in _BODIES and isinstance(node, ast.stmt):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _paths(child)


def _path(node: ast.AST) -> str:
    """Return `a` or `a.b` for a name or an attribute of one; empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (base := _path(node.value)):
        return f"{base}.{node.attr}"
    return ""


def _value(path: str, variables: Mapping[str, object]) -> Any:
    """Return what a path leads to, else the nearest object on it that is data, `_NOTHING` without any."""
    first, *rest = path.split(".")
    try:
        value: object = variables[first]
    except Exception:  # noqa: BLE001 (a mapping of scopes may raise why it has none)
        return _NOTHING
    for name in rest:
        held = _held(value)
        if name not in held:
            return _NOTHING if issubclass(type(value), _NO_DATA) else value
        value = held[name]
    return value


def _held(value: object) -> Mapping[str, object]:
    """Return the attributes that an object itself holds."""
    try:
        held = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return {}
    return held if isinstance(held, dict) else {}


def _described(name: str, value: object, mask: Mask) -> str:
    kind = type(value).__name__ if type(value).__module__ == "builtins" else _qualified(type(value))
    shape = _shape(value)
    if _SECRET.search(name.rpartition(".")[2]) and not issubclass(type(value), _OPEN):
        return f"{kind}, {HIDDEN}"
    return f"{kind}{shape}{_short(value, mask)}"


def _qualified(kind: type) -> str:
    module = str(kind.__module__).partition(".")[0]
    return kind.__name__ if module == "__main__" else f"{module}.{kind.__name__}"


def _shape(value: Any) -> str:
    """Return `, 3 × 2`, or `, 5 items`; empty where there is none, or where asking raises."""
    try:
        shape = getattr(value, "shape", None)
        if isinstance(shape, tuple) and shape and all(isinstance(one, int) for one in shape):
            return f", {' × '.join(f'{one:,}' for one in shape)}{_columns(value)}"
        if isinstance(value, str | bytes | bytearray):
            return f", {len(value):,} {'characters' if isinstance(value, str) else 'bytes'}"
        return f", {len(value):,} items" if hasattr(type(value), "__len__") else ""
    except Exception:  # noqa: BLE001 (properties of an unknown object may raise)
        return ""


def _columns(value: Any) -> str:
    """Return the first columns of a table with their types; the dtype of an array."""
    if not frames.is_table(value):
        return f" {value.dtype}" if hasattr(value, "dtype") else ""
    names = getattr(value, "columns", None)
    if names is None:
        return f" {getattr(value, 'dtype', '')}".rstrip()
    shown = [str(name)[:40] for name in list(names)[:MOST]]
    return f", columns {', '.join(shown)}{', …' * (len(names) > MOST)}"


def _short(value: object, mask: Mask) -> str:
    """Return ` = value` on one line; empty for a table, whose columns say more, and where writing it raises."""
    if frames.is_table(value):
        return ""
    try:
        text, _, _ = outline(value, 4 * VALUE, mask)
    except Exception:  # noqa: BLE001 (the repr of an unknown object may raise)
        return ", its repr raises an exception"
    line = without_secrets(" ".join(mask(text).split()))
    return f" = {line[:VALUE]}{'…' * (len(line) > VALUE)}"
