"""Local language models in the notebook: `%load_ext ollama_magic`, then `%%chat`.

It has the functions with which IPython loads and unloads the extension; `last`, the newest turn's reply; and the
functions for scripts, which are imported on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ollama_magic.log import begin as _begin_log
from ollama_magic.version import __version__

if TYPE_CHECKING:
    from ollama_magic.commands.panel import ChatPanel
    from ollama_magic.functions.public import (
        AnswerCut,
        AnswerInvalid,
        Conversation,
        Embeddings,
        InputError,
        ModelNotFound,
        OllamaMagicError,
        Reply,
        Results,
        ServerError,
        ServerUnreachable,
        StoreError,
        TurnStopped,
        chat,
        embed,
        generate,
        list,  # noqa: A004
        map,  # noqa: A004
        ps,
        pull,
        show,
        stream,
        tool,
    )

    last: Reply | None

_begin_log()

__all__ = [
    "AnswerCut",
    "AnswerInvalid",
    "ChatPanel",
    "Conversation",
    "Embeddings",
    "InputError",
    "ModelNotFound",
    "OllamaMagicError",
    "Reply",
    "Results",
    "ServerError",
    "ServerUnreachable",
    "StoreError",
    "TurnStopped",
    "__version__",
    "chat",
    "embed",
    "generate",
    "last",
    "list",
    "load_ipython_extension",
    "map",
    "ps",
    "pull",
    "show",
    "stream",
    "tool",
    "unload_ipython_extension",
]


def load_ipython_extension(shell: Any) -> None:
    """Register the magics; `%load_ext ollama_magic` calls this."""
    from ollama_magic.magics.loading import load

    load(shell)


def unload_ipython_extension(shell: Any) -> None:
    """Stop running turns and remove everything; `%unload_ext ollama_magic` calls this."""
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
    if name in __all__:
        from ollama_magic.functions import public

        return getattr(public, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
