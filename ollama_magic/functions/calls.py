"""The stateless functions: one question and its answer, or a query to the server. Each takes a `host`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, overload

from ollama_magic.errors import TurnStopped
from ollama_magic.functions.answers import AnswerStream
from ollama_magic.functions.arguments import (
    chat_request,
    format_from,
    keep_alive_from,
    model_from,
    optional_text,
    options_from,
    switch_from,
    text_from,
    think_from,
    tools_from,
)
from ollama_magic.functions.sessions import session
from ollama_magic.functions.signatures import checked_call
from ollama_magic.functions.value_stream import ValueStream, values_of
from ollama_magic.ollama.protocol import GenerateRequest

if TYPE_CHECKING:
    import builtins
    from collections.abc import Coroutine

    from typing_extensions import TypedDict, Unpack

    from ollama_magic.conversation.reply import Reply
    from ollama_magic.conversation.server import Server
    from ollama_magic.functions.arguments import AnyOptions, Messages, ModelName, Tools
    from ollama_magic.ollama.protocol import KeepAlive, ModelFacts, ModelSummary, RunningModel, Think

    class _Settings(TypedDict, total=False):
        model: ModelName
        system: str
        options: AnyOptions
        think: Think
        keep_alive: KeepAlive
        host: str | None
        attach: object

    class _ChatSettings(_Settings, total=False):
        tools: Tools

    class _SingleSettings(_Settings, total=False):
        suffix: str
        template: str
        raw: bool


T = TypeVar("T")


@overload
def chat(messages: Messages, *, format: type[T], **settings: Unpack[_ChatSettings]) -> Reply[T]: ...
@overload
def chat(messages: Messages, *, format: object = ..., **settings: Unpack[_ChatSettings]) -> Reply[Any]: ...
@checked_call
def chat(
    messages: Messages,
    *,
    model: ModelName = None,
    system: str = "",
    options: AnyOptions = None,
    think: Think = None,
    format: object = None,  # noqa: A002 - ollama-python's name
    tools: Tools = None,
    keep_alive: KeepAlive = None,
    host: str | None = None,
    attach: object = None,
) -> Reply[Any]:
    """Ask once and wait for the complete answer.

    Args:
        messages: A prompt, or a list of messages in the shape of ollama-python.
        model: A name, or an entry of `list()`; None for the one that `%%chat` would use.
        system: A system text that goes before the messages; empty for none.
        options: Model options by their names, such as {"temperature": 0.2, "num_ctx": 8192} (tokens).
        think: Whether the model thinks first, or how much: True, False, "low", "medium", "high"; None for its default.
        format: What the answer must look like: "json", a type such as `list[City]`, a JSON Schema as a dict or path.
        tools: Functions that the model may call; they run in the thread that takes the answer, and nothing else runs.
        keep_alive: How long the model stays loaded: seconds, or "10m"; -1 forever, 0 not at all.
        host: Another server than the session's, such as "gpu1:11434".
        attach: What goes along: figures, images, arrays, frames, bytes, paths with `~` and `*`; or a list of them.

    Raises:
        OllamaMagicError: InputError, ServerUnreachable, ModelNotFound, ServerError or AnswerCut, each one line.
        TurnStopped: ■ was pressed.

    Example:
        >>> from ollama_magic import chat
        >>> chat("Why is the sky blue?").state
        'complete'
    """
    asked, functions = format_from(format), tools_from(tools)
    request = chat_request(messages, model, system, options, think, asked, keep_alive, functions)
    return AnswerStream(request, host, asked, functions, attach).whole()


@overload
def stream(  # type: ignore[overload-overlap]
    messages: Messages,
    *,
    format: type[builtins.list[T]],
    **settings: Unpack[_ChatSettings],
) -> ValueStream[T]: ...
@overload
def stream(messages: Messages, *, format: type[T], **settings: Unpack[_ChatSettings]) -> AnswerStream[T]: ...
@overload
def stream(messages: Messages, *, format: object = ..., **settings: Unpack[_ChatSettings]) -> AnswerStream[Any]: ...
@checked_call
def stream(
    messages: Messages,
    *,
    model: ModelName = None,
    system: str = "",
    options: AnyOptions = None,
    think: Think = None,
    format: object = None,  # noqa: A002
    tools: Tools = None,
    keep_alive: KeepAlive = None,
    host: str | None = None,
    attach: object = None,
) -> AnswerStream[Any] | ValueStream[Any]:
    """Ask once and stream the answer with `for`, with `async for` on the running loop, or complete with `await`.

    Takes the arguments of `chat` and raises the same errors, during iteration. A chunk is a text with an attribute
    `thinking`; `.reply` grows with it. Leaving the loop early closes the connection, and the server stops.
    With `format=list[T]` it yields the elements of the list instead, each as soon as it is finished, and raises
    AnswerInvalid at the first that is no T.

    Example:
        >>> from ollama_magic import stream
        >>> answer = stream("Why is the sky blue?")
        >>> "".join(answer) == answer.reply.text
        True
    """
    asked = format_from(format)
    listed = tools_from(tools)
    request = chat_request(messages, model, system, options, think, asked, keep_alive, listed)
    answer: AnswerStream[Any] = AnswerStream(request, host, asked, listed, attach)
    return values_of(answer)


@overload
def generate(prompt: str, *, format: type[T], **settings: Unpack[_SingleSettings]) -> Reply[T]: ...
@overload
def generate(prompt: str, *, format: object = ..., **settings: Unpack[_SingleSettings]) -> Reply[Any]: ...
@checked_call
def generate(
    prompt: str,
    *,
    model: ModelName = None,
    suffix: str = "",
    system: str = "",
    template: str = "",
    raw: bool = False,
    options: AnyOptions = None,
    think: Think = None,
    format: object = None,  # noqa: A002
    keep_alive: KeepAlive = None,
    host: str | None = None,
    attach: object = None,
) -> Reply[Any]:
    """Send one prompt to `/api/generate` and wait for the complete answer.

    A `suffix` is the text after a gap that the answer fills, if the model supports that. A `template` replaces the
    model's own; with `raw` the prompt is sent unchanged, without a template. All else is as for `chat`.

    Example:
        >>> from ollama_magic import generate
        >>> generate("Why is the sky blue?").kind
        'generate'
    """
    asked = format_from(format)
    request = GenerateRequest(
        model_from(model),
        text_from(prompt, "prompt"),
        optional_text(suffix, "suffix"),
        optional_text(system, "system"),
        optional_text(template, "template"),
        bool(switch_from(raw, "raw")),
        options_from(options),
        think_from(think),
        asked.schema if asked is not None else None,
        keep_alive_from(keep_alive),
    )
    return AnswerStream(request, host, asked, attach=attach).whole()


@checked_call
def list_models(*, host: str | None = None) -> builtins.list[ModelSummary]:
    """Return the installed models, newest first; published as `ollama_magic.list`.

    Example:
        >>> import ollama_magic
        >>> [model.name for model in ollama_magic.list()][:1]
        ['demo:latest']
    """
    return call(session().server(host).client.tags())


@checked_call
def show(model: ModelName, *, host: str | None = None) -> ModelFacts:
    """Return what the server knows about a model; raise ModelNotFound with the nearest names.

    Example:
        >>> from ollama_magic import show
        >>> "completion" in show("demo").capabilities
        True
    """
    name = model_from(model)

    async def look(server: Server) -> ModelFacts:
        await server.catalog.look_up(name, frozenset())
        return await server.client.show(name)

    return call(look(session().server(host)))


@checked_call
def ps(*, host: str | None = None) -> builtins.list[RunningModel]:
    """Return the loaded models, with their size in bytes and when they are unloaded.

    Example:
        >>> from ollama_magic import ps
        >>> "demo:latest" in [model.name for model in ps()]
        True
    """
    return call(session().server(host).client.ps())


def call(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a short coroutine on the session's loop and wait for it."""
    try:
        return session().call(coroutine)
    except KeyboardInterrupt:
        raise TurnStopped("Stopped before the server had answered.") from None
