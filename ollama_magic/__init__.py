"""Local language models in the notebook: `%load_ext ollama_magic`, then `%%chat`.

This is the door: what IPython calls to load and unload; `last`, the newest turn's reply; and the functions for
scripts, which are imported when they are first named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ollama_magic.version import __version__

if TYPE_CHECKING:
    from ollama_magic.commands.panel import ChatPanel
    from ollama_magic.conversation.reply import Reply
    from ollama_magic.functions.calls import chat, embed, generate, list_models as list, ps, pull, show, stream  # noqa: A004
    from ollama_magic.functions.conversation import Conversation

    last: Reply | None

__all__ = [
    "ChatPanel",
    "Conversation",
    "__version__",
    "chat",
    "embed",
    "generate",
    "last",
    "list",
    "load_ipython_extension",
    "ps",
    "pull",
    "show",
    "stream",
    "unload_ipython_extension",
]
_CALLS = {name: name for name in ("chat", "embed", "generate", "ps", "pull", "show", "stream")} | {
    "list": "list_models"
}


def load_ipython_extension(shell: Any) -> None:
    """Register the magics; `%load_ext ollama_magic` calls this."""
    from ollama_magic.magics.loading import load

    load(shell)


def unload_ipython_extension(shell: Any) -> None:
    """Stop what runs and take everything out again; `%unload_ext ollama_magic` calls this."""
    from ollama_magic.magics.loading import unload

    unload(shell)


def __getattr__(name: str) -> Any:
    if name == "last":
        from ollama_magic.line.loaded import loaded_magics

        magics = loaded_magics()
        return magics.session.last if magics is not None else None
    if name == "ChatPanel":
        from ollama_magic.commands.panel import ChatPanel

        return ChatPanel
    if name in _CALLS:
        from ollama_magic.functions import calls

        return getattr(calls, _CALLS[name])
    if name == "Conversation":
        from ollama_magic.functions.conversation import Conversation

        return Conversation
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
