"""JSON Schemas as they are written: in a dict or in a file. `jsonschema` validates; no reference is fetched."""

from __future__ import annotations

import errno
import json
import numbers
import os
import stat
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ollama_magic.answer_types.answer_json import NoJson, read_json
from ollama_magic.answer_types.problems import invalid, place_of
from ollama_magic.errors import InputError
from ollama_magic.foreign import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MOST = 1_000_000  # bytes of a schema file
ERRORS = 1000  # that are looked at to find the first
EXTRA = '`pip install "ollama_magic[data]"` brings it'


def read_schema_file(path: str) -> Mapping[str, object]:
    """Read a JSON Schema from a file.

    Raises:
        InputError: There is none, it is too large, or it holds no JSON object.
    """
    shown = one_line(path, 80)
    try:
        content = _content(path)
    except (OSError, ValueError) as error:  # the latter of a name that is none
        why = getattr(error, "strerror", None) or one_line(str(error), 100).rstrip(".")
        raise InputError(f"The schema {shown} cannot be read: {why}.") from None
    try:
        schema = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        why = "it is longer than 1 MB" if len(content) > MOST else one_line(str(error), 100)
        raise InputError(f"The file {shown} holds no JSON Schema: {why}.") from None
    if not isinstance(schema, dict):
        raise InputError(f"The file {shown} holds no JSON Schema, which is an object such as {{'type': 'object'}}.")
    return schema


def _content(path: str) -> bytes:
    place = Path(os.path.expanduser(path))  # noqa: PTH111  # Path raises for ~nobody
    if stat.S_ISFIFO(place.stat().st_mode):  # to open one would wait for its other end
        raise OSError(errno.EINVAL, "it is a pipe; save what it brings as a file")
    with place.open("rb") as opened:
        return opened.read(MOST + 1)


def plain_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema as it can be sent and stored; InputError if it is no JSON."""
    try:
        copied: dict[str, Any] = json.loads(json.dumps(dict(schema), allow_nan=False, default=_plain_number))
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(f"This dict is no JSON Schema: {one_line(str(error), 100)}.") from None
    return copied


def _plain_number(value: object) -> object:
    """Return a number of another library, such as NumPy's, as Python's own."""
    if isinstance(value, numbers.Integral):
        return int(value)
    item = getattr(value, "item", None)
    if callable(item):
        return item()
    raise TypeError(f"{type(value).__name__} is no JSON")


def check_schema(schema: Mapping[str, Any]) -> None:
    """Raise InputError if `jsonschema` is not installed, or the schema is none."""
    try:
        _validator(schema).check_schema(schema)
    except InputError:
        raise
    except Exception as error:  # noqa: BLE001  # a SchemaError, or what an address or a pattern in it makes Python raise
        path, said = list(getattr(error, "absolute_path", ())), getattr(error, "message", str(error))
        where = f"{place_of(path, schema)}: " if path else ""
        raise InputError(f"This is no JSON Schema: {where}{one_line(said, 150).rstrip('.')}.") from None


def validate_by_schema(schema: Mapping[str, Any], text: str, label: str, at: str) -> Any:
    """Return the value of an answer that a schema allows.

    Raises:
        AnswerInvalid: It is no JSON, or the schema does not allow it.
        InputError: `jsonschema` is not installed, or the schema is none.
    """
    check_schema(schema)
    try:
        value, _ = read_json(text, strict=True)
    except NoJson as error:
        raise invalid(label, f"it is not JSON ({error})", at) from None
    if problem := _first_problem(schema, value, at):
        raise invalid(label, problem[1], problem[0])
    return value


def _first_problem(schema: Mapping[str, Any], value: object, at: str) -> tuple[str, str] | None:
    from referencing.exceptions import Unresolvable
    from referencing.jsonschema import EMPTY_REGISTRY

    try:
        found = list(islice(_validator(schema)(schema, registry=EMPTY_REGISTRY).iter_errors(value), ERRORS))
    except Unresolvable as error:
        return at, f"its schema refers to {one_line(error.ref, 80)}, which is not in it, and nothing is fetched"
    except RecursionError:
        return at, "its schema leads in a circle, or it is nested too deeply"
    except Exception as error:  # noqa: BLE001  # of a pattern or a number that Python cannot work with
        return at, f"its schema cannot be applied to it ({type(error).__name__}: {one_line(str(error), 80)})"
    if not found:
        return None
    first = min(found, key=lambda error: _position(list(error.absolute_path), value))
    return place_of(list(first.absolute_path), value, at), first.message


def _position(path: Sequence[object], value: Any) -> list[int]:
    """Return where in the text a path leads: comparable with others."""
    position: list[int] = []
    for step in path:
        position.append(list(value).index(step) if isinstance(value, dict) else int(str(step)))
        value = value[step]
    return position


def _validator(schema: Mapping[str, Any]) -> Any:
    try:
        from jsonschema.validators import Draft202012Validator, validator_for
    except ImportError:
        raise InputError(f"A JSON Schema is validated by jsonschema, which is not installed; {EXTRA}.") from None
    try:
        return validator_for(schema, default=Draft202012Validator)
    except Exception:  # noqa: BLE001  # a `$schema` that is no text or no address; the newest draft says so
        return Draft202012Validator
