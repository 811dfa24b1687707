"""The host: the shell, the running request, and the capabilities of its front end."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

VSCODE_CELL, VSCODE_VARIABLE = "vscode-notebook-cell:", "__vsc_ipynb_file__"


class Request(NamedTuple):
    """The running execute request: the cell's id, if the front end sends it, its own id, and deleted cells."""

    cell: str | None = None
    execution: str | None = None
    deleted: frozenset[str] = frozenset()
    attended: bool = True  # whether a user may be present; nbclient, nbconvert and papermill say no


def current_shell() -> Any:
    """Return the IPython shell of this process, or None, without importing IPython."""
    module = sys.modules.get("IPython.core.interactiveshell")
    shell = module.InteractiveShell if module else None
    return shell.instance() if shell is not None and shell.initialized() else None


def request_of(shell: Any) -> Request:
    """Return the running request of ipykernel 6 or 7."""
    parent = _parent(shell)
    header, metadata = parent.get("header") or {}, parent.get("metadata") or {}
    deleted = metadata.get("deletedCells")
    gone = frozenset(one for one in deleted if isinstance(one, str)) if isinstance(deleted, list) else frozenset()
    cell, asks = metadata.get("cellId") or None, (parent.get("content") or {}).get("allow_stdin")
    return Request(cell, header.get("msg_id") or None, gone, attended=bool(cell) or asks is not False)


def kernel_name(shell: Any) -> str:
    """Return the name of the kernel's connection file, which survives restarts; empty if there is none."""
    application = getattr(getattr(shell, "kernel", None), "parent", None)
    name = getattr(application, "connection_file", "")
    return re.split(r"[/\\]", name)[-1] if isinstance(name, str) else ""


def in_terminal(shell: Any) -> bool:
    """Whether only text can be shown: without a shell, or in IPython in a terminal."""
    return shell is None or any(base.__name__ == "TerminalInteractiveShell" for base in type(shell).__mro__)


def answers_clicks_while_busy(shell: Any) -> bool:
    """Whether clicks are handled while a cell blocks: ipykernel 7 has subshells, which VS Code does not use."""
    kernel = getattr(shell, "kernel", None)
    if not getattr(kernel, "_supports_kernel_subshells", False):
        return False
    return not in_vscode(shell)


def in_vscode(shell: Any) -> bool:
    """Whether VS Code runs the cell, by its cell ids or the variable of its Jupyter extension."""
    if VSCODE_VARIABLE in getattr(shell, "user_ns", ()):
        return True
    return (request_of(shell).cell or "").startswith(VSCODE_CELL)


def when_a_cell_ends(do: Callable[[], None]) -> None:
    """Call a function once in the main thread, when the running cell, or else the next one, ends."""
    events = current_shell().events

    def once(result: object = None) -> None:  # noqa: ARG001 (IPython passes the result)
        events.unregister("post_run_cell", once)
        do()

    events.register("post_run_cell", once)


def _parent(shell: Any) -> dict[str, Any]:
    kernel = getattr(shell, "kernel", None)
    ask = getattr(kernel, "get_parent", None) or getattr(shell, "get_parent", None)
    found = ask() if ask else None
    return found if isinstance(found, dict) else {}
