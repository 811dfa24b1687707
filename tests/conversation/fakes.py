"""A server and a view that do nothing but what a test tells them."""

import asyncio

from ollama_magic.conversation.cell_run import CellRun, Origin
from ollama_magic.conversation.context_window import Window
from ollama_magic.conversation.conversation import Conversation
from ollama_magic.conversation.journal import Journal
from ollama_magic.conversation.record import NoRecord, Record
from ollama_magic.conversation.reply import CHAT, GENERATE, Reply
from ollama_magic.conversation.request import Plan
from ollama_magic.conversation.sent_requests import SentRequests
from ollama_magic.conversation.turn import RunningTurn
from ollama_magic.ollama.protocol import ChatChunk
from ollama_magic.ollama.stats import Stats
from ollama_magic.turns.turn_value import RequestSettings

DONE = ChatChunk(done=True, done_reason="stop", stats=Stats(answer_tokens=2))
HEADERS = ChatChunk()


def words(*texts):
    return [ChatChunk(content=text) for text in texts]


class FakeServer:
    """Answers with the chunks given; an Event among them is waited for, an exception is raised."""

    def __init__(self, *chunks, model="fake:latest", thinks=False, loaded=True, window=None, version=""):
        self.chunks, self.model, self.thinks, self.loaded = chunks, model, thinks, loaded
        self.cannot = frozenset()
        self.window_told, self.version_told, self.windows_asked = window or Window(), version, 0
        self.requests, self.closed, self.left_models, self.reached = [], 0, [], asyncio.Event()

    async def stream(self, request):
        self.requests.append(request)
        try:
            for chunk in self.chunks:
                if isinstance(chunk, asyncio.Event):
                    self.reached.set()
                    await chunk.wait()
                elif isinstance(chunk, Exception):
                    raise chunk
                else:
                    yield chunk
        finally:
            self.closed += 1

    async def model_for(self, name, needs):
        self.needs = needs
        return name or self.model

    async def digest(self, name, *, fresh):
        return "digest"

    async def can_think(self, name):
        return self.thinks

    async def lacks(self, name, needs):
        return needs & self.cannot

    def window_known(self, request):
        return request.options.get("num_ctx")

    async def window(self, request):
        self.windows_asked += 1
        return self.window_told

    async def version(self):
        return self.version_told

    async def stuck(self, model):
        return self.loaded and model in self.left_models

    def left(self, model):
        self.left_models.append(model)

    def answered(self, model):
        self.left_models = [name for name in self.left_models if name != model]


class FakeView:
    """Keeps every frame that it was shown."""

    def __init__(self):
        self.frames, self.finished, self.painted = [], None, asyncio.Event()

    def begin(self, reply, stop):
        self.stop = stop

    def show(self, reply):
        self.frames.append(reply.text)
        self.waiting = reply.status.waiting
        self.painted.set()
        return 0.0

    async def told(self, words):
        """Wait for a paint that says what the turn waits for."""
        while True:
            await self.painted.wait()
            if words in self.waiting:
                return
            self.painted.clear()

    def finish(self, reply):
        self.finished = (reply.state, reply.text)

    def refresh_settled(self, reply):
        self.finished = (reply.state, reply.text)


def conversation(name="main"):
    return Conversation(name, Journal())


def turn(server, prompt="Hi", talk=None, view=None, origin=None, **plan):
    talk = talk or conversation()
    asked, run = Plan(prompt, **plan), CellRun(talk.journal, origin or Origin())
    kind = GENERATE if asked.single else CHAT
    settings = RequestSettings(model=asked.model or "")
    name = None if plan.get("once") else talk.name
    reply = Reply(asked.prompt, settings, conversation=name, kind=kind, form=asked.form)
    record = (NoRecord if plan.get("once") else Record)(talk, run, reply, SentRequests())
    return RunningTurn(asked, talk, server, view or FakeView(), reply, record)
