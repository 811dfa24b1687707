"""Chat and generate: what they check, the prompt that each makes of its fields, and how a model is asked."""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from ollama_magic.demo.api.answer_lines import AnswerLines
from ollama_magic.demo.api.answer_stream import AnswerStream
from ollama_magic.demo.api.context_limit import count_tokens, within_window
from ollama_magic.demo.language_model import GenerationRequest, Message, ModelError, Piece
from ollama_magic.demo.models.model_reference import read_reference
from ollama_magic.demo.transport.go_format import go_json, quoted
from ollama_magic.demo.transport.request_body import (
    CHAT,
    GENERATE,
    Body,
    Refusal,
    check_format,
    check_options,
    read_body,
)

if TYPE_CHECKING:
    from ollama_magic.demo.language_model import LanguageModel
    from ollama_magic.demo.models.model_card import DemoModel
    from ollama_magic.demo.server_state import ServerState
    from ollama_magic.demo.transport.exchange import Exchange

_NO_IMAGES = "Multimodal data provided, but model does not support multimodal requests."


@dataclass
class Generation:
    """One request of a model: the checked body, the model, and what it is asked.

    `messages` is the conversation; `earlier` the text of a `context`, which comes before it; `raw` is a prompt that no
    template is applied to.
    """

    state: ServerState
    exchange: Exchange
    body: Body
    model: DemoModel
    endpoint: Literal["chat", "generate"]
    messages: list[Message] = field(default_factory=list)
    earlier: str = ""
    raw: str | None = None
    images: bool = False

    def __post_init__(self) -> None:
        self.lines = AnswerLines(str(self.body["model"]), self.endpoint)
        self.options: Body = {}

    def run(self) -> None:
        """Load, unload or answer."""
        keep, empty = self.body.get("keep_alive"), not self.messages and self.raw is None
        if empty and keep == 0:
            self.state.loaded.unload(self.model)
            self._say_nothing("unload")
            return
        self.exchange.streaming = self.body.get("stream", True) and not empty
        self._check()
        with self.state.ready(self.model, self.options, keep):
            if empty:
                self._say_nothing("load")
            else:
                self._answer()

    def _check(self) -> None:
        name, capabilities = quoted(str(self.body["model"])), self.model.capabilities
        if "completion" not in capabilities:
            raise Refusal(400, f"{name} does not support {self.endpoint}")
        if self.body.get("think") and "thinking" not in capabilities:
            raise Refusal(400, f"{name} does not support thinking")
        own = {key: [one] if key == "stop" and isinstance(one, str) else one for key, one in self.model.parameters}
        asked = {key: value for key, value in self.body.get("options", {}).items() if value is not None}
        self.options = check_options({**own, **asked})
        check_format(self.body.get("format"))

    def _answer(self) -> None:
        if self.images and "vision" not in self.model.capabilities:
            error = {"code": 400, "message": _NO_IMAGES, "type": "invalid_request_error"}
            raise Refusal(400, go_json({"error": error}), late=True)
        load_ns = time.monotonic_ns() - self.exchange.arrived
        language_model = self.state.language_model(self.model)
        messages = self._fitting()
        prompt = self._prompt(messages)
        if self.body.get("_debug_render_only"):
            front = self.lines.front(Piece(), role="")
            self.exchange.json({**front, "done": False, "_debug_info": {"rendered_template": prompt}})
            return
        rendered = prompt if self.raw is not None or self.earlier else None
        request = self._request(messages, rendered)
        counted = len(language_model.tokenize(prompt)) if rendered else count_tokens(language_model, messages)
        context = None if self.endpoint == "chat" or self.body.get("raw") else self._context(prompt)
        answer = AnswerStream(self.exchange, self.lines, counted, load_ns, context)
        send = answer.stream if self.exchange.streaming else answer.send_whole
        events = language_model.generate(request)
        try:
            send(events)
        finally:
            if isinstance(events, Generator):
                events.close()

    def _fitting(self) -> list[Message]:
        """The model's own messages and those of the request, as far as they fit."""
        if not self.messages:
            return []
        stored = [] if self.earlier else [Message(*pair) for pair in self.model.messages]
        messages = [*stored, *self.messages]
        if self.model.system and not self.earlier and self.messages[0].role != "system":
            messages.insert(0, Message("system", self.model.system))
        language_model, window = self.state.language_model(self.model), self.model.window(self.options)
        return within_window(language_model, messages, window, self.body)

    def _prompt(self, messages: list[Message]) -> str:
        if self.raw is not None:
            return self.raw
        return self.earlier + self.state.language_model(self.model).render(messages)

    def _request(self, messages: list[Message], prompt: str | None) -> GenerationRequest:
        return GenerationRequest(
            messages=tuple(messages),
            prompt=prompt,
            options=self.options,
            format=self.body.get("format") or None,
            think=self.body.get("think"),
            tools=self.body.get("tools", ()),
            suffix=self.body.get("suffix") or None,
            body=self.body,
        )

    def _context(self, prompt: str) -> Any:
        language_model = self.state.language_model(self.model)
        return lambda answer: language_model.tokenize(f"{prompt}{answer}<|im_end|>\n")

    def _say_nothing(self, reason: str) -> None:
        self.exchange.json({**self.lines.front(Piece()), "done": True, "done_reason": reason})


def chat(state: ServerState, exchange: Exchange) -> None:
    """Answer a conversation; without messages the model is loaded or unloaded (protocol.md §6.5)."""
    body = read_body(exchange.body, CHAT)
    name = str(body.get("model", ""))
    if not name.strip():
        raise Refusal(400, "model is required")
    model = state.find(name)
    if body.get("tools") and "tools" not in model.capabilities:
        raise Refusal(400, f"{_full(name)} does not support tools")
    items = body.get("messages", [])
    messages = [Message(item["role"], item.get("content", "")) for item in items]
    images = any(item.get("images") for item in items)
    Generation(state, exchange, body, model, "chat", messages, images=images).run()


def generate(state: ServerState, exchange: Exchange) -> None:
    """Answer one prompt without history; an empty one loads or unloads."""
    body = read_body(exchange.body, GENERATE)
    name, prompt = str(body.get("model", "")), body.get("prompt", "")
    if not name.strip():
        raise Refusal(404, "model '' not found")
    model = state.find(name)
    if body.get("raw") and any(body.get(key) for key in ("template", "system", "context")):
        raise Refusal(400, "raw mode does not support template, system, or context")
    if body.get("suffix") and "insert" not in model.capabilities:
        raise Refusal(400, f"{_full(name)} does not support insert")
    asked = Generation(state, exchange, body, model, "generate", images=bool(body.get("images")))
    if prompt and (body.get("raw") or body.get("suffix")):
        asked.raw = prompt
    elif prompt:
        system = [Message("system", body["system"])] if body.get("system") else []
        asked.messages = [*system, Message("user", prompt)]
        asked.earlier = _earlier(state.language_model(model), body.get("context", []))
    asked.run()


def _earlier(language_model: LanguageModel, context: list[Any]) -> str:
    """The text of a `context`; Refusal for numbers that are no tokens of this model."""
    try:
        return language_model.detokenize(context) if context else ""
    except ModelError as error:
        raise Refusal(error.status, error.text) from None


def _full(name: str) -> str:
    """The name with every part, as a few error texts have it."""
    reference = read_reference(name)
    return reference.full if reference else name
