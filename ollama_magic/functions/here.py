"""The notebook's conversation from Python: its turns belong to the cell that makes them, as those of `%%chat` do."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ollama_magic.conversation.reply import COMPLETE, RUNNING
from ollama_magic.errors import AnswerCut, InputError, TurnStopped
from ollama_magic.functions.answers import Chunk
from ollama_magic.functions.given import text_from
from ollama_magic.functions.where import loaded_magics
from ollama_magic.loop_thread import POLL_S

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Generator, Iterator

    from ollama_magic.conversation.conversation import Conversation as Talk
    from ollama_magic.conversation.handle import TurnHandle
    from ollama_magic.conversation.reply import Reply
    from ollama_magic.magics.magics import OllamaMagic

_FRAME_S = 1 / 30


class HereConversation:
    """A conversation of this notebook, under the name that was current when this was made."""

    def __init__(self) -> None:
        self.name = _magics().session.current

    @property
    def messages(self) -> list[dict[str, str]]:
        """All that was said so far, in the shape of Ollama's messages."""
        talk = self._talk()
        system = talk.told("system") or _magics().system
        pairs = (
            ({"role": "user", "content": turn.prompt}, {"role": "assistant", "content": turn.text})
            for turn in talk.turns
        )
        lead = [{"role": "system", "content": system}] if system else []
        return [*lead, *(message for pair in pairs for message in pair)]

    def chat(self, prompt: str) -> Reply:
        """The next turn, with the settings that `%%chat` would take; nothing is shown."""
        answer = self.stream(prompt)
        for _ in answer:
            pass
        return answer.reply

    def stream(self, prompt: str) -> HereStream:
        """The next turn, as it comes; it begins at once."""
        return HereStream(self.name, text_from(prompt, "prompt"))

    def undo(self) -> None:
        """Set the newest turn aside, and no other of its cell; that is a step, which `%ollama undo` takes back."""
        talk = self._talk()
        if not talk.turns:
            raise InputError("There is no turn to take back.")
        newest = max(talk.turns, key=lambda turn: turn.number)
        if newest.state == RUNNING:
            raise InputError("That turn is still running; `%ollama stop` ends it, then it can be taken back.")
        talk.set_aside([newest], "taken back")

    def __repr__(self) -> str:
        return f"Conversation.here(): {self.name}, {len(self._talk().turns)} turns"

    def _talk(self) -> Talk:
        return _magics().session.conversation(self.name)


class HereStream:
    """A turn of the notebook as it comes; the turn itself runs on the private loop, whoever watches it."""

    def __init__(self, name: str, prompt: str) -> None:
        from ollama_magic.line.options import CHAT, read_line
        from ollama_magic.line.planning import plan_of

        magics = _magics()
        plan = plan_of(read_line(CHAT, "").options, prompt, magics, magics.session.conversation(name))
        self._watch = _Watch()
        self._handle: TurnHandle = magics.session.start_turn(plan, self._watch, magics.cell.origin(), conversation=name)
        self.reply = self._handle.reply

    def __iter__(self) -> Iterator[Chunk]:
        return self._in_this_thread()

    def __aiter__(self) -> AsyncIterator[Chunk]:
        return _OnThisLoop(self._handle, self._watch)

    def _in_this_thread(self) -> Generator[Chunk, None, None]:
        changed = threading.Event()
        self._watch.told = changed.set
        seen = _Seen(self.reply)
        try:
            while not self._watch.finished:
                changed.wait(POLL_S)
                changed.clear()
                yield from seen.new()
            yield from seen.new()
            self._handle.wait()
        except KeyboardInterrupt:
            raise TurnStopped("Stopped; the text so far is kept.") from None
        finally:
            self._leave()

    def _leave(self) -> None:
        """Whoever breaks off stops the turn; one that has ended does not mind."""
        if not self._watch.finished:
            self._handle.stop()
            self._handle.settle()


class _OnThisLoop:
    """What `async for` takes from; a loop that is left drops it, and stops the turn."""

    def __init__(self, handle: TurnHandle, watch: _Watch) -> None:
        loop, changed = asyncio.get_running_loop(), asyncio.Event()
        changed.set()
        watch.told = lambda: _tell(loop, changed)
        self._changed, self._handle, self._watch = changed, handle, watch
        self._seen, self._ready = _Seen(handle.reply), list[Chunk]()

    def __aiter__(self) -> AsyncIterator[Chunk]:
        return self

    async def __anext__(self) -> Chunk:
        while not self._ready:
            finished = self._watch.finished
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
    """The view of a turn that shows nothing and tells that something has come."""

    def __init__(self) -> None:
        self.told: Callable[[], object] = lambda: None
        self.finished = False

    def begin(self, reply: Reply, stop: Callable[[], None]) -> None:
        """Nothing is opened."""

    def show(self, reply: Reply) -> float:
        """Tell it, and rest a frame."""
        del reply
        self.told()
        return _FRAME_S

    def finish(self, reply: Reply) -> None:
        """Tell that it was the last time."""
        del reply
        self.finished = True
        self.told()

    def again(self, reply: Reply) -> None:
        """Nothing is told below an answer that is not shown."""


class _Seen:
    """What of a reply has been handed on."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply
        self._texts = self._thoughts = 0

    def new(self) -> list[Chunk]:
        """What has come since the last time."""
        thoughts, texts = self._reply.thinking_parts[self._thoughts :], self._reply.text_parts[self._texts :]
        self._thoughts, self._texts = self._thoughts + len(thoughts), self._texts + len(texts)
        return [Chunk("", "".join(thoughts))] * bool(thoughts) + [Chunk("".join(texts))] * bool(texts)


def _tell(loop: asyncio.AbstractEventLoop, changed: asyncio.Event) -> None:
    with suppress(RuntimeError):  # the loop is closed: nobody watches any more
        loop.call_soon_threadsafe(changed.set)


def _magics() -> OllamaMagic:
    magics: Any = loaded_magics()
    if magics is None:
        raise InputError("There is no notebook's conversation here; `%load_ext ollama_magic` begins one.")
    found: OllamaMagic = magics
    return found
