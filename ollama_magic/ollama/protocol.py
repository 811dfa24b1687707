"""Requests and answers as frozen values, without I/O or JSON; `messages` has the messages of a conversation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from ollama_magic.errors import ServerErrorKind
    from ollama_magic.ollama.messages import Message, ToolCall
    from ollama_magic.ollama.stats import Stats

Options: TypeAlias = Mapping[str, object]  # model options, such as {"temperature": 0.2}
Think: TypeAlias = bool | str | None  # on, off, a level such as "low"; None leaves it to the model
Format: TypeAlias = str | Mapping[str, object] | None  # "json", or a JSON Schema
KeepAlive: TypeAlias = float | str | None  # seconds, or "10m"; -1 keeps the model loaded, 0 unloads it at once


@dataclass(frozen=True)
class ChatRequest:
    """The request of a chat turn (protocol.md §6.1); fields that are None or empty are omitted from the body."""

    model: str
    messages: tuple[Message, ...]
    options: Options = field(default_factory=dict)
    think: Think = None
    format: object = None
    keep_alive: KeepAlive = None
    tools: tuple[Mapping[str, object], ...] = ()


@dataclass(frozen=True)
class GenerateRequest:
    """A single turn of `/api/generate` (protocol.md §7).

    Fields that are None or empty are omitted from the body. `raw` sends the prompt unchanged, without
    template or system; `suffix` needs a model with that capability.
    """

    model: str
    prompt: str
    suffix: str = ""
    system: str = ""
    template: str = ""
    raw: bool = False
    options: Options = field(default_factory=dict)
    think: Think = None
    format: object = None
    keep_alive: KeepAlive = None
    images: tuple[bytes, ...] = field(default=(), repr=False)


Request = ChatRequest | GenerateRequest


@dataclass(frozen=True)
class CreateRequest:
    """A model made from another one (protocol.md §18.1): `base` is its `from`; what is empty is inherited."""

    name: str
    base: str
    system: str = ""
    template: str = ""
    parameters: Mapping[str, object] = field(default_factory=dict)
    messages: tuple[Message, ...] = ()
    license: str = ""


@dataclass(frozen=True)
class Progress:
    """One line of a pull or create (protocol.md §17.1); sizes in bytes, None where the line has none.

    A progress bar belongs to a `digest`; it is complete when the next status or digest comes, because the last line
    of a layer may be missing. The last line of all is `done`, or has an `error`, or `cut`: why the
    stream broke off.
    """

    status: str = ""
    digest: str = ""
    total: int | None = None
    completed: int | None = None
    error: str = ""
    kind: ServerErrorKind = "other"
    cut: str = ""

    @property
    def done(self) -> bool:
        """Whether the server has finished successfully."""
        return self.status == "success" and not self.error


class ChatChunk(NamedTuple):
    """One line of a stream: text to append, then perhaps the end, or an error instead of either.

    `cut` is a clause that says why the stream ended without its end mark («the connection was reset»).
    A named tuple, because one is made for each token.
    """

    content: str = ""
    thinking: str = ""
    done: bool = False
    done_reason: str | None = None
    stats: Stats | None = None
    error: str | None = None
    model: str = ""
    cut: str = ""
    tool_calls: tuple[ToolCall, ...] = ()


@dataclass(frozen=True)
class ModelSummary:
    """One model of `/api/tags` (protocol.md §15.1); capabilities are None on servers before v0.30."""

    name: str
    size: int = 0
    modified_at: str = ""
    digest: str = ""
    family: str = ""
    families: tuple[str, ...] = ()
    parameter_size: str = ""
    quantization: str = ""
    capabilities: frozenset[str] | None = None
    context_length: int | None = None
    remote_host: str = ""


@dataclass(frozen=True)
class RunningModel:
    """One loaded model of `/api/ps` (protocol.md §15.2); models with the same weights are listed under one name."""

    name: str
    size: int = 0
    size_vram: int = 0
    expires_at: str = ""
    context_length: int | None = None
    digest: str = ""


@dataclass(frozen=True)
class Tensor:
    """One tensor of a model's file."""

    name: str
    type: str = ""
    shape: tuple[int, ...] = ()


@dataclass(frozen=True)
class ModelFacts:
    """The facts of `/api/show` about one model (protocol.md §15.3); context_length is the one it was trained with.

    `info` and `projector` are the file's own keys; `tensors` needs verbose. `weights` is the digest of the weights file
    if the Modelfile has it: models that share it share one runner (§15.2).
    """

    capabilities: frozenset[str] | None = None
    context_length: int | None = None
    parameters: str = ""
    template: str = ""
    system: str = ""
    license: str = ""
    family: str = ""
    families: tuple[str, ...] = ()
    parameter_size: str = ""
    quantization: str = ""
    format: str = ""
    parent_model: str = ""
    modified_at: str = ""
    remote_host: str = ""
    remote_model: str = ""
    modelfile: str = ""
    requires: str = ""
    weights: str = ""
    parameter_count: int | None = None
    embedding_length: int | None = None
    info: Mapping[str, object] = field(default_factory=dict)
    projector: Mapping[str, object] = field(default_factory=dict)
    tensors: tuple[Tensor, ...] = ()
