"""Asks for confirmation before something is lost."""

from __future__ import annotations

import sys

from IPython.core.error import StdinNotImplementedError

from ollama_magic.display.host import current_shell
from ollama_magic.errors import InputError
from ollama_magic.line.options import Option

YES = Option("--yes", "do not ask for confirmation", short="-y", default=False)


def confirm(question: str, yes: bool, command: str) -> bool:
    """Whether to go on: `--yes`, else the user's answer; raise InputError if nobody can be asked."""
    if yes:
        return True
    shell = current_shell()
    if getattr(shell, "kernel", None) is not None or bool(getattr(sys.stdin, "isatty", bool)()):
        try:
            return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
        except (StdinNotImplementedError, EOFError):
            pass
    raise InputError(f"{question} This front end cannot ask you; `{command} --yes` does it without asking.")
