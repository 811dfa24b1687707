"""Downloads: `pull`, blocking or as a stream of progress lines."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Literal, overload

from ollama_magic.errors import AnswerCut, InputError, ModelNotFound, ServerError
from ollama_magic.foreign import one_line
from ollama_magic.functions.arguments import model_from, switch_from
from ollama_magic.functions.signatures import checked_call
from ollama_magic.functions.stream import Stream
from ollama_magic.ollama.model_names import valid_name

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from ollama_magic.conversation.server import Server
    from ollama_magic.functions.arguments import ModelName
    from ollama_magic.ollama.protocol import Progress


@overload
def pull(
    model: ModelName, *, stream: Literal[False] = False, insecure: bool = False, host: str | None = None
) -> None: ...


@overload
def pull(model: ModelName, *, stream: Literal[True], insecure: bool = False, host: str | None = None) -> PullStream: ...


@checked_call
def pull(
    model: ModelName,
    *,
    stream: bool = False,  # noqa: A002, RUF100
    insecure: bool = False,
    host: str | None = None,
) -> PullStream | None:
    """Download a model and return when it is complete; with `stream=True` return its progress (`for`, `async for`).

    Args:
        model: The name of a model, such as "gemma3:1b".
        stream: Whether to return at once; each line then has `status`, `completed` and `total` (bytes).
        insecure: Whether a registry without TLS is accepted.
        host: Another server than the session's.

    Raises:
        ModelNotFound: The registry has no such model.
        ServerError: The server refused, or the registry did.
        AnswerCut: The download broke off; another call resumes it.

    Example:
        >>> from ollama_magic import pull
        >>> pull("demo")
    """
    progress = PullStream(_name_of(model), host, insecure=bool(switch_from(insecure, "insecure")))
    if stream:
        return progress
    for _ in progress:
        pass
    return None


class PullStream(Stream["Progress"]):
    """The progress of a download, line by line; a new download resumes one that broke off."""

    def __init__(self, model: str, host: str | None, *, insecure: bool) -> None:
        super().__init__(host)
        self._model, self._insecure = model, insecure

    async def _pieces(self, server: Server) -> AsyncGenerator[Progress, None]:
        shown = one_line(self._model, 80)
        async with aclosing(server.client.stream_pull(self._model, insecure=self._insecure)) as lines:
            async for line in lines:
                if line.error:
                    raise _refused(shown, line)
                if line.cut:
                    raise AnswerCut(f"The download of {shown} broke off: {line.cut}; pull again to resume it.")
                yield line
                if line.done:
                    server.catalog.forget(self._model)
                    return
        raise AnswerCut(f"The download of {shown} broke off; pull again to resume it.")


def _name_of(model: ModelName) -> str:
    name = model_from(model)
    if not valid_name(name):
        shown = one_line(name, 80) or "An empty text"
        raise InputError(f"{shown} is not a model's name; name one such as 'gemma3:1b'.")
    return name


def _refused(shown: str, line: Progress) -> ServerError | ModelNotFound:
    words = f"{shown} cannot be pulled: {one_line(line.error.rstrip('.'))}."
    return ModelNotFound(words) if line.kind == "not_in_registry" else ServerError(words, kind=line.kind)
