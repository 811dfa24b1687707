"""Local language models in the notebook: `%load_ext ollama_magic`, then `%%chat`.

This is the door: what IPython calls to load and unload, and `last`, the newest turn's reply.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ollama_magic.conversation.reply import Reply

    last: Reply | None

__version__ = "0.1.0"
__all__ = ["__version__", "last", "load_ipython_extension", "unload_ipython_extension"]


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
        from ollama_magic.magics.loading import loaded_magics

        magics = loaded_magics()
        return magics.session.last if magics is not None else None
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
