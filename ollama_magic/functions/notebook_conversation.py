"""The notebook's conversation from Python: its turns belong to the calling cell, like those of `%%chat`."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from ollama_magic.errors import AnswerCut, InputError, TurnStopped
from ollama_magic.functions.answers import Chunk
from ollama_magic.functions.arguments import format_from, text_from, tools_from
from ollama_magic.functions.attached import attachments_from
from ollama_magic.functions.sessions import loaded_magics
from ollama_magic.functions.signatures import checked_call
from ollama_magic.functions.value_stream import ValueStream, values_of
from ollama_magic.loop_thread import POLL_S, MainThreadWatch
from ollama_magic.magics.caller_scope import caller_scope
from ollama_magic.turns.turn_messages import messages_of, plain
from ollama_magic.turns.turn_value import COMPLETE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Generator, Iterator

    from ollama_magic.answer_types.answer_format import AnswerFormat
    from ollama_magic.conversation.conversation import Conversation
    from ollama_magic.conversation.handle import TurnHandle
    from ollama_magic.conversation.reply import Reply
    from ollama_magic.functions.arguments import Tools
    from ollama_magic.magics.magics import OllamaMagic
    from ollama_magic.tools.tool import Tool

T = TypeVar("T")

_FRAME_S = 1 / 30


class NotebookConversation:
    """The conversation of this notebook that was current when this object was created."""

    def __init__(self) -> None:
        self.name = _magics().session.current

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The messages so far, in Ollama's format."""
        conversation = self._conversation()
        system = conversation.setting("system")  # an empty one is set, too
        return plain(messages_of(conversation.turns, _magics().system if system is None else system))

    @overload
    def chat(self, prompt: str, *, format: type[T], attach: object = ..., tools: Tools = ...) -> Reply[T]: ...
    @overload
    def chat(self, prompt: str, *, format: object = ..., attach: object = ..., tools: Tools = ...) -> Reply[Any]: ...
    @checked_call
    def chat(self, prompt: str, *, format: object = None, attach: object = None, tools: Tools = None) -> Reply[Any]:  # noqa: A002
        """Ask the next turn with the settings of `%%chat` and return its reply; nothing is displayed.

        `format` is what the answer must look like, and `tools` are functions that the model may call, as for
        `ollama_magic.chat`; None for those of `%ollama tool`. `attach` is what goes along with the prompt.
        """
        answer = self._answer(prompt, format, attach, tools)
        for _ in answer:
            pass
        return answer.reply

    @overload
    def stream(  # type: ignore[overload-overlap]
        self, prompt: str, *, format: type[list[T]], attach: object = ..., tools: Tools = ...
    ) -> ValueStream[T]: ...
    @overload
    def stream(
        self, prompt: str, *, format: type[T], attach: object = ..., tools: Tools = ...
    ) -> NotebookStream[T]: ...
    @overload
    def stream(
        self, prompt: str, *, format: object = ..., attach: object = ..., tools: Tools = ...
    ) -> NotebookStream[Any]: ...
    @checked_call
    def stream(
        self,
        prompt: str,
        *,
        format: object = None,  # noqa: A002
        attach: object = None,
        tools: Tools = None,
    ) -> NotebookStream[Any] | ValueStream[Any]:
        """Start the next turn at once and stream it; with `format=list[T]`, the elements of the list."""
        return values_of(self._answer(prompt, format, attach, tools))

    def _answer(self, prompt: str, wanted: object, attach: object, tools: Tools) -> NotebookStream[Any]:
        listed = None if tools is None else tools_from(tools)
        return NotebookStream(self.name, text_from(prompt, "prompt"), format_from(wanted), attach, listed)

    def undo(self) -> None:
        """Set only the newest turn aside, as a step that `%ollama undo` can take back."""
        self._conversation().take_back_newest()

    def __repr__(self) -> str:
        return f"Conversation.here(): {self.name}, {len(self._conversation().turns)} turns"

    def _conversation(self) -> Conversation:
        return _magics().session.conversation(self.name)


class NotebookStream(Generic[T]):
    """A streamed turn of the notebook; the turn itself runs on the private loop."""

    def __init__(
        self,
        name: str,
        prompt: str,
        answer_format: AnswerFormat[T] | None,
        attach: object,
        tools: tuple[Tool, ...] | None,
    ) -> None:
        from ollama_magic.line.options import CHAT, read_line
        from ollama_magic.line.planning import plan_of, tools_of

        magics = _magics()
        conversation = magics.session.conversation(name)
        options = read_line(CHAT, "").options
        if tools is None:
            tools = tools_of(options, conversation, lambda: caller_scope(magics.shell.user_ns))
        plan = plan_of(options, prompt, magics, conversation, answer_format, tools)
        plan = replace(plan, attachments=attachments_from(attach, magics.session))
        self._watch = _Watch()
        self._handle: TurnHandle = magics.session.start_turn(
            plan, self._watch, magics.cell.origin(), conversation=name, waited_for=True
        )
        self.reply: Reply[T] = self._handle.reply

    def __iter__(self) -> Iterator[Chunk]:
        return self._in_this_thread()

    def __aiter__(self) -> AsyncIterator[Chunk]:
        return _OnThisLoop(self._handle, self._watch)

    def __await__(self) -> Generator[Any, None, Reply[T]]:
        return self._awaited().__await__()

    async def _awaited(self) -> Reply[T]:
        async for _ in self:
            pass
        return self.reply

    def _in_this_thread(self) -> Generator[Chunk, None, None]:
        changed = threading.Event()
        self._watch.notify = changed.set
        seen, main_thread = _Seen(self.reply), MainThreadWatch()
        try:
            while not self._watch.finished:
                changed.wait(POLL_S)
                changed.clear()
                main_thread.check()
                self._handle.serve()
                yield from seen.new()
            yield from seen.new()
            self._handle.wait()
        except KeyboardInterrupt:
            raise TurnStopped("Stopped; the text so far is kept.") from None
        finally:
            self._leave()

    def _leave(self) -> None:
        """Stop the turn if the iteration ended early."""
        if not self._watch.finished:
            self._handle.stop()
            self._handle.settle()


class _OnThisLoop:
    """The iterator of `async for`; the turn stops when it is dropped."""

    def __init__(self, handle: TurnHandle, watch: _Watch) -> None:
        loop, changed = asyncio.get_running_loop(), asyncio.Event()
        changed.set()
        watch.notify = lambda: _set_event(loop, changed)
        self._changed, self._handle, self._watch = changed, handle, watch
        self._seen, self._ready = _Seen(handle.reply), list[Chunk]()

    def __aiter__(self) -> AsyncIterator[Chunk]:
        return self

    async def __anext__(self) -> Chunk:
        while not self._ready:
            finished = self._watch.finished
            self._handle.serve()
            self._ready = self._seen.new()
            if finished and not self._ready:
                self._end()
            if not self._ready:
                await self._more()
        return self._ready.pop(0)

    async def _more(self) -> None:
        try:
            await self._changed.wait()
        except asyncio.CancelledError:
            self._handle.stop()
            raise
        self._changed.clear()

    def _end(self) -> None:
        reply = self._handle.reply
        if reply.state != COMPLETE:  # not TurnStopped: a KeyboardInterrupt would end the loop itself
            raise reply.error or AnswerCut("The answer was stopped; the text so far is kept.")
        raise StopAsyncIteration

    def __del__(self) -> None:
        if not self._watch.finished:
            self._handle.stop()


class _Watch:
    """A view that displays nothing and notifies of changes."""

    asks = False

    def __init__(self) -> None:
        self.notify: Callable[[], object] = lambda: None
        self.finished = False

    def begin(self, reply: Reply, stop: Callable[[], None]) -> None:
        """Open nothing."""

    def show(self, reply: Reply) -> float:
        """Notify, and wait a frame."""
        del reply
        self.notify()
        return _FRAME_S

    def finish(self, reply: Reply) -> None:
        """Notify for the last time."""
        del reply
        self.finished = True
        self.notify()

    def refresh_settled(self, reply: Reply) -> None:
        """Update nothing."""


class _Seen:
    """The parts of a reply that were already returned."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply
        self._texts = self._thoughts = 0

    def new(self) -> list[Chunk]:
        """Return what has arrived since the last call."""
        thoughts, texts = self._reply.thinking_parts[self._thoughts :], self._reply.text_parts[self._texts :]
        self._thoughts, self._texts = self._thoughts + len(thoughts), self._texts + len(texts)
        return [Chunk("", "".join(thoughts))] * bool(thoughts) + [Chunk("".join(texts))] * bool(texts)


def _set_event(loop: asyncio.AbstractEventLoop, changed: asyncio.Event) -> None:
    with suppress(RuntimeError):  # the loop is closed
        loop.call_soon_threadsafe(changed.set)


def _magics() -> OllamaMagic:
    magics: Any = loaded_magics()
    if magics is None:
        raise InputError("No notebook conversation is loaded; `%load_ext ollama_magic` starts one.")
    found: OllamaMagic = magics
    return found
