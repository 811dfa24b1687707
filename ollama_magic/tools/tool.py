"""A tool: a function that the model may call, with what the model is sent about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ollama_magic.tools.arguments import Arguments


@dataclass(frozen=True)
class Tool:
    """A function that the model may call.

    Attributes:
        name: What the model calls it.
        function: What runs.
        schema: What is sent about it (protocol.md §9.1).
        arguments: What validates the arguments of a call.
        confirm: Whether the user is asked before each call.
    """

    name: str
    function: Callable[..., Any] = field(repr=False)
    schema: Mapping[str, object] = field(repr=False)
    arguments: Arguments = field(repr=False)
    confirm: bool = False

    @property
    def description(self) -> str:
        """The description that is sent."""
        described: Any = self.schema["function"]
        return str(described.get("description", ""))
