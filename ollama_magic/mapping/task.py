"""What a map is to do: rows, template, request and limits, weighed and frozen before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ollama_magic.ollama.model_names import normal_name
from ollama_magic.ollama.protocol import ChatRequest, GenerateRequest, Request
from ollama_magic.ollama.request_bodies import chat_body, generate_body

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from ollama_magic.answer_types.answer_format import AnswerFormat
    from ollama_magic.conversation.conversation import Conversation
    from ollama_magic.conversation.request import Plan
    from ollama_magic.conversation.server import Server
    from ollama_magic.mapping.row_attachments import RowAttachments
    from ollama_magic.mapping.rows import Rows
    from ollama_magic.prompt.row_template import RowTemplate
    from ollama_magic.store.store import Store

TIMEOUT_S = 600.0


@dataclass(frozen=True)
class MapTask:
    """One map.

    Attributes:
        rows: The rows.
        template: What makes a prompt of a row.
        plan: How each prompt is answered; its own prompt is empty.
        servers: Who answers; the first one chooses the model if none is named.
        models: The models to ask, one after the other; empty for the one that a turn would use.
        conversation: Whose settings decide which model that is.
        store: Where answers are saved, None for nowhere.
        reads: Whether saved answers are used.
        concurrency: Requests at once for each server; None to find out.
        timeout: Seconds after which a row fails.
        executor: What runs batches of rows elsewhere; None to ask from this process.
        attachments: What goes along with each row; None for nothing.
        hosts: The addresses that were named, for workers elsewhere; empty if each is to find its own.
    """

    rows: Rows
    template: RowTemplate
    plan: Plan
    servers: tuple[Server, ...]
    conversation: Conversation
    models: tuple[str, ...] = ()
    store: Store | None = None
    reads: bool = True
    concurrency: int | None = None
    timeout: float = TIMEOUT_S
    executor: Executor | None = None
    hosts: tuple[str, ...] = ()
    attachments: RowAttachments | None = None

    @property
    def answer_format(self) -> AnswerFormat[Any] | None:
        """What each answer must look like."""
        return self.plan.answer_format

    @property
    def total(self) -> int:
        """How many answers there will be."""
        return len(self.rows) * max(1, len(self.models))


@dataclass(eq=False, slots=True)
class Job:
    """One prompt on its way to an answer; rows with the same key share it.

    `spent` are the seconds that it was on its way, `attempts` how often a server broke off, `error` the last reason.
    """

    prompt: str
    key: bytes
    images: tuple[bytes, ...] = ()
    spent: float = 0.0
    attempts: int = 0
    error: str = ""


@dataclass(eq=False, slots=True)
class TextsJob(Job):
    """A batch of texts, each with its key, on their way to vectors."""

    texts: tuple[tuple[bytes, str], ...] = field(default=())


def with_prompt(request: Request, prompt: str, images: tuple[bytes, ...] = ()) -> Request:
    """Return the request of one row."""
    if isinstance(request, GenerateRequest):
        return replace(request, prompt=prompt, images=images)
    last = replace(request.messages[-1], content=prompt, images=images)
    return replace(request, messages=(*request.messages[:-1], last))


def dependencies(request: Request) -> dict[str, object]:
    """Return what an answer depends on beside its prompt: how long the model stays loaded is none of it."""
    bare = replace(with_prompt(request, ""), model=normal_name(request.model), keep_alive=None)
    return chat_body(bare) if isinstance(bare, ChatRequest) else generate_body(bare)
