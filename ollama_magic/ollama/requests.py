"""What is asked of a server beside a chat, and what comes back: generate, pull, create, embed. No I/O lives here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ollama_magic.ollama.protocol import ChatRequest, message_body

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ollama_magic.ollama.protocol import Message


@dataclass(frozen=True)
class GenerateRequest:
    """A single turn of `/api/generate` (dossier §7); fields that are None or empty are left out of the body.

    `raw` takes the prompt as it is, and no template or system; `suffix` needs a model that can fill in.
    """

    model: str
    prompt: str
    suffix: str = ""
    system: str = ""
    template: str = ""
    raw: bool = False
    options: Mapping[str, object] = field(default_factory=dict)
    think: bool | str | None = None
    format: object = None
    keep_alive: float | str | None = None


Request = ChatRequest | GenerateRequest  # what is answered with text


@dataclass(frozen=True)
class CreateRequest:
    """A model made from another one (dossier §18.1): `base` is its `from`; what is empty is inherited."""

    name: str
    base: str
    system: str = ""
    template: str = ""
    parameters: Mapping[str, object] = field(default_factory=dict)
    messages: tuple[Message, ...] = ()
    license: str = ""


@dataclass(frozen=True)
class Progress:
    """One line of a pull or create (dossier §17.1); sizes in bytes, None where the line has none.

    A bar belongs to a `digest`; it is done when the next status or digest comes, for the last line of a layer may be
    missing. The last line is `done`, or has an `error`, or `cut`: a clause that says why the stream broke off.
    """

    status: str = ""
    digest: str = ""
    total: int | None = None
    completed: int | None = None
    error: str = ""
    cut: str = ""

    @property
    def done(self) -> bool:
        """Whether the server has finished, and well."""
        return self.status == "success" and not self.error


@dataclass(frozen=True)
class Embeddings:
    """One vector for each text, in their order and of length 1 (dossier §14)."""

    model: str
    vectors: list[list[float]]
    prompt_tokens: int | None = None
    total_ns: int | None = None
    load_ns: int | None = None


def generate_body(request: GenerateRequest) -> dict[str, object]:
    """Return the JSON object of a streamed `/api/generate` request."""
    body: dict[str, object] = {"model": request.model, "prompt": request.prompt, "stream": True}
    texts = {"suffix": request.suffix, "system": request.system, "template": request.template, "raw": request.raw}
    optional = {
        "options": dict(request.options) or None,
        "think": request.think,
        "format": request.format,
        "keep_alive": request.keep_alive,
    }
    return body | _filled(texts) | _given(optional)


def create_body(request: CreateRequest) -> dict[str, object]:
    """Return the JSON object of a streamed `/api/create` request, for servers from v0.5.5 on."""
    body = {**named(request.name), "from": request.base, "stream": True}
    optional = {
        "system": request.system,
        "template": request.template,
        "parameters": dict(request.parameters),
        "messages": [message_body(message) for message in request.messages],
        "license": request.license,
    }
    return body | _filled(optional)


def pull_body(name: str, *, insecure: bool) -> dict[str, object]:
    """Return the JSON object of a streamed `/api/pull` request."""
    return {**named(name), "stream": True} | _filled({"insecure": insecure})


def embed_body(model: str, inputs: Sequence[str], more: Mapping[str, object]) -> dict[str, object]:
    """Return the JSON object of an `/api/embed` request; what is None is left out of it."""
    return {"model": model, "input": list(inputs)} | _given(more)


def old_embed_body(model: str, text: str, more: Mapping[str, object]) -> dict[str, object]:
    """Return the JSON object of an `/api/embeddings` request, which takes one text."""
    return {"model": model, "prompt": text} | _given(more)


def named(name: str) -> dict[str, object]:
    """Return the model's name in both fields that servers have known (dossier §22)."""
    return {"model": name, "name": name}


def _given(fields: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in fields.items() if value is not None}


def _filled(fields: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in fields.items() if value}
