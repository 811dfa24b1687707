"""What a command with options is told: its words and `--flags`, read by its `Spec`; and the question before a loss."""

from __future__ import annotations

import sys
from functools import wraps
from html import escape
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from IPython.core.error import StdinNotImplementedError

from ollama_magic.commands.command import Answer, Here
from ollama_magic.display.host import current_shell
from ollama_magic.display.tables import Shown
from ollama_magic.errors import InputError
from ollama_magic.line.options import HELP, Argument, Option, Spec, read_line

if TYPE_CHECKING:
    from collections.abc import Callable

YES = Option("--yes", "do not ask", short="-y", absent=False)


def command(name: str, summary: str, *words: Argument | Option, notes: str = "") -> Spec:
    """Declare what a command takes: its arguments in their order, and its options."""
    options = tuple(word for word in words if isinstance(word, Option))
    arguments = tuple(word for word in words if isinstance(word, Argument))
    return Spec(f"%ollama {name}", summary, (*options, HELP), arguments, notes=notes)


def reads(spec: Spec) -> Callable[[Callable[[Here, Any], Answer]], Callable[[Here, str], Answer]]:
    """Give a command its words and options as attributes of one object; `--help` shows what there is."""

    def reading(run: Callable[[Here, Any], Answer]) -> Callable[[Here, str], Answer]:
        @wraps(run)
        def read(here: Here, rest: str) -> Answer:
            line = read_line(spec, rest)
            if line.options.help:
                text = spec.help()
                return Answer(text, Shown(f"<pre>{escape(text)}</pre>", text))
            return run(here, SimpleNamespace(**vars(line.arguments), **vars(line.options)))

        read.spec = spec  # type: ignore[attr-defined]  # Tab and the page of help read it
        return read

    return reading


def agreed(question: str, told: bool, again: str) -> bool:
    """Whether it may be done: `--yes`, else the answer of who sits there. InputError where nobody can be asked."""
    if told:
        return True
    shell = current_shell()
    if getattr(shell, "kernel", None) is not None or bool(getattr(sys.stdin, "isatty", bool)()):
        try:
            return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
        except (StdinNotImplementedError, EOFError):
            pass
    raise InputError(f"{question} Nobody can be asked here: `{again} --yes` does it.")
