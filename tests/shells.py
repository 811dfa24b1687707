"""A shell with the extension in it, and what its cells print."""

from __future__ import annotations

import atexit
import builtins
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def loaded_shell() -> Iterator[Any]:
    """A shell that has nothing but the extension; it is gone afterwards."""
    with fresh_shell() as shell:
        shell.run_line_magic("load_ext", "ollama_magic")
        yield shell
        shell.run_line_magic("unload_ext", "ollama_magic")


@contextmanager
def fresh_shell() -> Iterator[Any]:
    """A shell without the extension and without a history file; nothing of it is left afterwards."""
    InteractiveShell.clear_instance()
    main = sys.modules["__main__"]  # IPython puts the shell's module in its place, and `%run` a file's name into that
    vars(builtins).pop("_", None)  # a doctest left its last value there, and IPython would take it for gettext's
    shell = InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
    try:
        yield shell
    finally:
        getattr(shell.history_manager, "outputs", {}).clear()  # IPython 9 has one for all shells
        InteractiveShell.clear_instance()
        sys.modules["__main__"] = main
        # Until the process ends IPython holds every shell: a thousand of them slow each collection of garbage down.
        atexit.unregister(shell.atexit_operations)


def run(shell: Any, cell: str) -> tuple[str, BaseException | None]:
    """What a cell printed, and the error that ended it."""
    with capture_output() as shown:
        result = shell.run_cell(cell)
    return shown.stdout + "".join(out.data["text/plain"] for out in shown.outputs), result.error_in_exec
