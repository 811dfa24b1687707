"""The variables of `{{name}}`: those of the function that runs the magic, then those of the notebook."""

from __future__ import annotations

import inspect
import sys
from collections import ChainMap
from types import CodeType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import FrameType

_INSIDE = ("IPython.", "ollama_magic.", "ipykernel.", "traitlets.", "decorator")


def caller_scope(notebook: dict[str, Any]) -> Mapping[str, Any]:
    """Return the variables that the caller of a magic sees: locals, those of enclosing functions, globals.

    Args:
        notebook: the notebook's own variables, which come last.
    """
    frame = next((one for one in _frames() if not _inside(one)), None)
    if frame is None or (frame.f_locals is notebook and frame.f_globals is notebook):
        return notebook
    scopes, last = _functions(frame)
    if frame.f_globals is not notebook:
        scopes.append(frame.f_globals)
    elif last.co_flags & inspect.CO_NESTED:
        scopes.append(_Hidden(notebook, last.co_name))
    return ChainMap(*scopes, notebook)


def running_cell() -> str:
    """Return the text of the running cell as typed; empty if there is none."""
    found = (one.f_locals.get("raw_cell") for one in _frames() if one.f_code.co_name in ("run_cell", "run_cell_async"))
    return next((text for text in found if isinstance(text, str)), "")


def running_script() -> str:
    """Return the path of the script that runs the magic; empty for a cell."""
    frame = next((one for one in _frames() if not _inside(one)), None)
    path = frame.f_code.co_filename if frame is not None else ""
    return path if path.endswith((".py", ".ipy")) else ""


class _Hidden(dict[str, Any]):
    """The notebook's variables for a function whose enclosing function has returned and may hide any of them."""

    def __init__(self, names: dict[str, Any], function: str) -> None:
        super().__init__(names)
        self._function = function

    def __getitem__(self, name: str) -> Any:
        from ollama_magic.prompt.resolve import NotFilled

        raise NotFilled(f"{self._function} is defined in a function whose variables cannot be read; pass it on")


def _frames() -> Iterator[FrameType]:
    frame = sys._getframe(1)  # noqa: SLF001 (IPython's own magics read their local scope with it)
    while frame.f_back is not None:
        frame = frame.f_back
        yield frame


def _inside(frame: FrameType) -> bool:
    return f"{frame.f_globals.get('__name__', '')}.".startswith(_INSIDE)


class _Unset(dict[str, Any]):
    """A function's variables without a value; an outer variable of the same name is another one."""

    def __getitem__(self, name: str) -> Any:
        from ollama_magic.prompt.resolve import NotFilled

        super().__getitem__(name)
        raise NotFilled("it has no value yet")


def _functions(frame: FrameType) -> tuple[list[Any], CodeType]:
    """Return the locals of a frame and of running enclosing functions, and the code of the outermost.

    Classes between them are skipped, as in Python.
    """
    scopes = [] if frame.f_locals is frame.f_globals else _locals(frame)
    code = frame.f_code
    above = frame.f_back
    while above is not None:
        if above.f_code.co_flags & inspect.CO_OPTIMIZED and _holds(above.f_code, code):
            scopes += _locals(above)
            code = above.f_code
        above = above.f_back
    return scopes, code


def _locals(frame: FrameType) -> list[Any]:
    own = frame.f_code.co_varnames + frame.f_code.co_cellvars
    return [frame.f_locals, _Unset.fromkeys(name for name in own if name not in frame.f_locals)]


def _holds(outer: CodeType, inner: CodeType) -> bool:
    """Whether a function is written within another one, or within a class or a function that is."""
    codes = [one for one in outer.co_consts if isinstance(one, CodeType)]
    return inner in codes or any(_holds(one, inner) for one in codes)
