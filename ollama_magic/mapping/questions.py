"""What the jobs of a run have in common, and how a server is asked one of them; it can be pickled for a worker."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from ollama_magic.conversation.conversation import Conversation
from ollama_magic.conversation.journal import Journal
from ollama_magic.conversation.request import request_for
from ollama_magic.mapping.asking import SPARE_S, asker, in_time, now
from ollama_magic.mapping.outcome import COMPLETE, Outcome
from ollama_magic.mapping.task import TextsJob, dependencies
from ollama_magic.ollama.model_names import normal_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ollama_magic.answer_types.answer_format import AnswerFormat
    from ollama_magic.conversation.request import Plan
    from ollama_magic.conversation.server import Server
    from ollama_magic.mapping.asking import Asks
    from ollama_magic.mapping.task import Job
    from ollama_magic.ollama.protocol import Request


class Question(Protocol):
    """What is asked of one model, without what each job adds to it."""

    @property
    def model(self) -> str:
        """The name of the model."""

    @property
    def depends_on(self) -> Mapping[str, object]:
        """What the answer to a job depends on beside the job."""

    def asks(self) -> Asks:
        """Return what asks a server for the outcome of a job."""


class Look(Protocol):
    """Looks at a server for what can be asked of it."""

    async def question(self, server: Server, /) -> Question:
        """Return what is to be asked; raises what the look-up of the model raises."""


@dataclass(frozen=True)
class RowQuestion:
    """A request whose prompt is that of a row."""

    request: Request

    @property
    def model(self) -> str:
        """The name of the model."""
        return self.request.model

    @property
    def depends_on(self) -> Mapping[str, object]:
        """The request without a prompt."""
        return dependencies(self.request)

    def asks(self, answer_format: AnswerFormat[Any] | None = None) -> Asks:
        """Return what asks a server for the answer to a row, and validates it if its format is passed."""
        return asker(self.request, answer_format)


@dataclass(frozen=True)
class RowLook:
    """Builds the request for rows; the plan's own prompt is empty."""

    plan: Plan
    conversation: Conversation | None = None  # a worker has none

    async def question(self, server: Server) -> RowQuestion:
        """Look the model up, and build the request."""
        conversation = self.conversation or Conversation("map", Journal())
        request, _ = await request_for(self.plan, conversation, [], server)
        return RowQuestion(request)


@dataclass(frozen=True)
class TextQuestion:
    """The vectors of batches of texts; `settings` are the other arguments of `OllamaClient.embed`."""

    model: str
    settings: Mapping[str, Any]

    @property
    def depends_on(self) -> Mapping[str, object]:
        """The model and the settings; how long the model stays loaded is none of it."""
        settings = {name: value for name, value in self.settings.items() if name != "keep_alive"}
        return {"embed": normal_name(self.model), **settings}

    def asks(self) -> Asks:
        """Return what asks a server for the vectors of a batch."""

        async def ask(server: Server, job: Job, seconds: float) -> Outcome:
            assert isinstance(job, TextsJob)
            began, texts = now(), [text for _, text in job.texts]
            asking = server.client.embed(self.model, texts, seconds=seconds + SPARE_S, **self.settings)
            found = await in_time(asking, seconds, server.client.address.url)
            outcome = Outcome(COMPLETE, tokens=found.prompt_tokens, seconds=now() - began)
            outcome.remember([array("f", vector) for vector in found.vectors])
            return outcome

        return ask


@dataclass(frozen=True)
class TextLook:
    """Chooses the model that makes vectors: the named one, else the newest that can."""

    named: str
    settings: Mapping[str, Any]

    async def question(self, server: Server) -> TextQuestion:
        """Look the model up."""
        return TextQuestion(await server.embedding_model(self.named or None), self.settings)
