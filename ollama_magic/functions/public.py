"""The public names of the package, but for the extension's own; `ollama_magic` itself takes them from here."""

from ollama_magic.conversation.reply import Reply
from ollama_magic.errors import (
    AnswerCut,
    AnswerInvalid,
    InputError,
    ModelNotFound,
    OllamaMagicError,
    ServerError,
    ServerUnreachable,
    StoreError,
    TurnStopped,
)
from ollama_magic.functions.calls import chat, generate, list_models as list, ps, show, stream  # noqa: A004
from ollama_magic.functions.conversation import Conversation
from ollama_magic.functions.embedding import embed
from ollama_magic.functions.many import map_rows as map  # noqa: A004
from ollama_magic.functions.pull_stream import pull
from ollama_magic.mapping.results import Results
from ollama_magic.ollama.embeddings import Embeddings
from ollama_magic.tools.marks import tool

__all__ = [
    "AnswerCut",
    "AnswerInvalid",
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
    "chat",
    "embed",
    "generate",
    "list",
    "map",
    "ps",
    "pull",
    "show",
    "stream",
    "tool",
]
