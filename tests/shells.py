"""A shell with the extension in it, and what its cells print."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def loaded_shell() -> Iterator[Any]:
    """A shell that has nothing but the extension; it is gone afterwards."""
    shell = InteractiveShell.instance()
    shell.reset(new_session=False)
    shell.run_line_magic("load_ext", "ollama_magic")
    yield shell
    shell.run_line_magic("unload_ext", "ollama_magic")
    InteractiveShell.clear_instance()


def run(shell: Any, cell: str) -> tuple[str, BaseException | None]:
    """What a cell printed, and the error that ended it."""
    with capture_output() as shown:
        result = shell.run_cell(cell)
    return shown.stdout + "".join(out.data["text/plain"] for out in shown.outputs), result.error_in_exec
