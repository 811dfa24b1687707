"""What runs us: the shell, the cell of the running request, and what its front end can do. Nothing is shown here."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Request:
    """The running execute request: its cell's id, where the front end sends one, its own, and cells called deleted."""

    cell: str | None = None
    execution: str | None = None
    deleted: frozenset[str] = frozenset()


def current_shell() -> Any:
    """Return the IPython shell of this process, or None; IPython is not imported for the question."""
    module = sys.modules.get("IPython.core.interactiveshell")
    shell = module.InteractiveShell if module else None
    return shell.instance() if shell is not None and shell.initialized() else None


def request_of(shell: Any) -> Request:
    """Read the running request; ipykernel 6 and 7 both keep it at their kernel."""
    parent = _parent(shell)
    header, metadata = parent.get("header") or {}, parent.get("metadata") or {}
    deleted = metadata.get("deletedCells")
    gone = frozenset(one for one in deleted if isinstance(one, str)) if isinstance(deleted, list) else frozenset()
    return Request(metadata.get("cellId") or None, header.get("msg_id") or None, gone)


def in_terminal(shell: Any) -> bool:
    """Whether nothing but text can be shown: no shell at all, or IPython in a terminal."""
    return shell is None or any(base.__name__ == "TerminalInteractiveShell" for base in type(shell).__mro__)


def answers_clicks_while_busy(shell: Any) -> bool:
    """Whether a click is heard while a cell blocks: ipykernel 7 has subshells, and VS Code does not use them."""
    kernel = getattr(shell, "kernel", None)
    if not getattr(kernel, "_supports_kernel_subshells", False):
        return False
    return not (request_of(shell).cell or "").startswith("vscode-notebook-cell:")


def when_a_cell_ends(do: Callable[[], None]) -> None:
    """Have something done once, in the main thread: when the running cell ends, or else the next one."""
    events = current_shell().events

    def once(result: object = None) -> None:  # noqa: ARG001 (what IPython tells of the cell)
        events.unregister("post_run_cell", once)
        do()

    events.register("post_run_cell", once)


def _parent(shell: Any) -> dict[str, Any]:
    kernel = getattr(shell, "kernel", None)
    ask = getattr(kernel, "get_parent", None) or getattr(shell, "get_parent", None)
    found = ask() if ask else None
    return found if isinstance(found, dict) else {}
