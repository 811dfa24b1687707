"""The functions that remember nothing: a question and its answer, or a look at the server. Each takes a `host`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from ollama_magic.errors import AnswerCut, ModelNotFound, ServerError, TurnStopped
from ollama_magic.foreign import one_line
from ollama_magic.functions.answers import AnswerStream
from ollama_magic.functions.given import messages_from, options_from, text_from, texts_from
from ollama_magic.functions.stream import Stream
from ollama_magic.functions.where import session
from ollama_magic.ollama.protocol import ChatRequest
from ollama_magic.ollama.requests import GenerateRequest

if TYPE_CHECKING:
    import builtins
    from collections.abc import AsyncGenerator, Coroutine

    from ollama_magic.conversation.reply import Reply
    from ollama_magic.conversation.server import Server
    from ollama_magic.ollama.protocol import ModelFacts, ModelSummary, RunningModel
    from ollama_magic.ollama.requests import Embeddings, Progress

T = TypeVar("T")
Think = bool | str | None
_ASKED = 20  # models of old servers that are asked one by one


def chat(
    messages: object,
    *,
    model: str | None = None,
    system: str = "",
    options: object = None,
    think: Think = None,
    format: object = None,  # noqa: A002 - ollama-python's name
    keep_alive: float | str | None = None,
    host: str | None = None,
) -> Reply:
    """Ask once and wait for the whole answer: `chat("Why is the sky blue?").text`.

    `messages` is a text, or a list in the shape of ollama-python. Without a model the one answers that `%%chat` would
    ask. What is less than whole raises: ServerUnreachable, ModelNotFound, InputError, ServerError, AnswerCut.
    """
    request = _chat(messages, model, system, options, think, format, keep_alive)
    return AnswerStream(request, host).whole()


def stream(
    messages: object,
    *,
    model: str | None = None,
    system: str = "",
    options: object = None,
    think: Think = None,
    format: object = None,  # noqa: A002
    keep_alive: float | str | None = None,
    host: str | None = None,
) -> AnswerStream:
    """Ask once and take the answer as it comes.

    `for chunk in stream("Hello"): print(chunk, end="")`; also `async for`, on the loop that runs, and `await`, for all
    of it. A chunk is a text with an attribute `thinking`; `.reply` grows with it. Breaking off hangs up.
    """
    return AnswerStream(_chat(messages, model, system, options, think, format, keep_alive), host)


def generate(
    prompt: str,
    *,
    model: str | None = None,
    suffix: str = "",
    system: str = "",
    template: str = "",
    raw: bool = False,
    options: object = None,
    think: Think = None,
    format: object = None,  # noqa: A002
    keep_alive: float | str | None = None,
    host: str | None = None,
) -> Reply:
    """One prompt to `/api/generate`, whole: with a `suffix` the answer fills the gap, `raw` leaves the template out."""
    request = GenerateRequest(
        model or "",
        text_from(prompt, "prompt"),
        suffix,
        system,
        template,
        raw,
        options_from(options),
        think,
        format,
        keep_alive,
    )
    return AnswerStream(request, host).whole()


def embed(
    texts: object,
    *,
    model: str | None = None,
    truncate: bool | None = None,
    dimensions: int | None = None,
    options: object = None,
    keep_alive: float | str | None = None,
    host: str | None = None,
) -> Embeddings:
    """A vector for each text, in `.vectors`; without a model the newest that is made for it."""

    async def ask(server: Server) -> Embeddings:
        name = await _embedder(server, model)
        more: dict[str, Any] = {"options": options_from(options), "keep_alive": keep_alive}
        return await server.client.embed(name, texts_from(texts), truncate=truncate, dimensions=dimensions, **more)

    return _call(ask(session().server(host)))


def list_models(*, host: str | None = None) -> builtins.list[ModelSummary]:
    """The installed models, the newest first; `ollama_magic.list` by its name."""
    return _call(session().server(host).client.tags())


def show(model: str, *, host: str | None = None) -> ModelFacts:
    """What the server knows of a model; raises ModelNotFound with the nearest names."""

    async def look(server: Server) -> ModelFacts:
        await server.book.look_up(model, frozenset())
        return await server.client.show(model)

    return _call(look(session().server(host)))


def ps(*, host: str | None = None) -> builtins.list[RunningModel]:
    """The models that are loaded."""
    return _call(session().server(host).client.ps())


@overload
def pull(model: str, *, stream: Literal[False] = False, insecure: bool = False, host: str | None = None) -> None: ...


@overload
def pull(model: str, *, stream: Literal[True], insecure: bool = False, host: str | None = None) -> PullStream: ...


def pull(
    model: str,
    *,
    stream: bool = False,  # noqa: A002, RUF100
    insecure: bool = False,
    host: str | None = None,
) -> PullStream | None:
    """Download a model; return at success, or with `stream=True` tell the progress as it comes (`for`, `async for`)."""
    progress = PullStream(model, host, insecure=insecure)
    if stream:
        return progress
    for _ in progress:
        pass
    return None


class PullStream(Stream["Progress"]):
    """A download, line by line; one that is broken off goes on from there when it is begun again."""

    def __init__(self, model: str, host: str | None, *, insecure: bool) -> None:
        super().__init__(host)
        self._model, self._insecure = model, insecure

    async def _pieces(self, server: Server) -> AsyncGenerator[Progress, None]:
        from contextlib import aclosing

        shown = one_line(self._model, 80)
        async with aclosing(server.client.stream_pull(self._model, insecure=self._insecure)) as lines:
            async for line in lines:
                if line.error:
                    raise _refused(shown, line.error)
                if line.cut:
                    raise AnswerCut(
                        f"The download of {shown} broke off: {line.cut}; pull again, it goes on from there."
                    )
                yield line
                if line.done:
                    server.book.forget(self._model)
                    return
        raise AnswerCut(f"The download of {shown} broke off; pull again, it goes on from there.")


async def _embedder(server: Server, name: str | None) -> str:
    """The model that was named, else the newest of this machine that says it makes embeddings."""
    from ollama_magic.ollama.models import is_cloud, newest_first

    if name:
        await server.book.look_up(name, frozenset())
        return name
    for model in newest_first(await server.client.tags())[:_ASKED]:
        facts = None if model.capabilities or is_cloud(model) else await server.book.look_up(model.name, frozenset())
        if "embedding" in (model.capabilities or (facts and facts.capabilities) or ()):
            return model.name
    raise ModelNotFound(
        "No model here is known to make embeddings; name one, or `pull('nomic-embed-text')` fetches one."
    )


def _refused(shown: str, error: str) -> ServerError | ModelNotFound:
    line = f"{shown} cannot be pulled: {one_line(error.rstrip('.'))}."
    return ModelNotFound(line) if "file does not exist" in error else ServerError(line)


def _chat(
    messages: object, model: str | None, system: str, options: object, think: Think, form: object, keep: Any
) -> ChatRequest:
    return ChatRequest(model or "", messages_from(messages, system), options_from(options), think, form, keep)


def _call(coroutine: Coroutine[Any, Any, T]) -> T:
    try:
        return session().call(coroutine)
    except KeyboardInterrupt:
        raise TurnStopped("Stopped; the server's answer was not waited for.") from None
