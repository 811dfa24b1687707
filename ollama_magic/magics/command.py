"""What a command of `%ollama` is. The table of them stands in `commands`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from ollama_magic.conversation.journal import Origin
    from ollama_magic.conversation.session import Session


@dataclass(frozen=True)
class Here:
    """Where a command is run: the session, the cell, and what else of the notebook a command may ask for."""

    session: Session
    origin: Origin
    display: str = ""


@dataclass(frozen=True)
class Answer:
    """What a command gives: data when it is assigned, else something that shows itself (None shows nothing)."""

    data: Any
    shown: Any = None


@dataclass(frozen=True)
class Command:
    """One row of the table: `usage` is what may follow the name, `run` takes what did follow it as raw text."""

    name: str
    usage: str
    help: str
    family: str
    run: Callable[[Here, str], Answer]
