"""What a command of `%ollama` is, and how one is found by its name. The table of them stands in `table`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ollama_magic.errors import InputError
from ollama_magic.ollama.models import nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ollama_magic.conversation.session import Session
    from ollama_magic.line.spec import Spec


@dataclass(frozen=True)
class Here:
    """Where a command is run: the session, and how the notebook shows answers."""

    session: Session
    display: str = ""


@dataclass(frozen=True)
class Answer:
    """What a command gives: data when it is assigned, else something that shows itself (None shows nothing)."""

    data: Any
    shown: Any = None


@dataclass(frozen=True)
class Command:
    """One row of the table: `usage` is what may follow the name, `run` takes what did follow it as raw text.

    `complete` says what Tab offers where the words of `usage` do not tell (MODEL, FILE, KEY, COMMAND and `a|b` do):
    "model", "conversation" or "told". `examples` are lines behind `%ollama`, for its page of help.
    """

    name: str
    usage: str
    help: str
    family: str
    run: Callable[[Here, str], Answer]
    complete: str = ""
    examples: tuple[str, ...] = ()

    @property
    def spec(self) -> Spec | None:
        """What the command's words and options are, where it declares them."""
        return getattr(self.run, "spec", None)


def find(name: str, commands: Mapping[str, Command]) -> Command:
    """Return the command of that name; InputError with the nearest ones."""
    if name in commands:
        return commands[name]
    near = nearest(name, list(commands))
    nearby = " or ".join(f"`%ollama {other}`" for other in near)
    hint = f"did you mean {nearby}?" if near else "`%ollama help` lists all."
    raise InputError(f"There is no command `%ollama {name}`; {hint}")


def alone(name: str, rest: str) -> None:
    """Refuse what stands behind a command that takes nothing."""
    if rest.strip():
        raise InputError(f"`%ollama {name}` takes nothing behind it, but “{rest.strip()}” stands there.")
