"""One request of a model, from its checks over loading to the answer: what chat and generate have in common."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ollama_magic.demo.transport.go_format import go_json, go_time, quoted
from tests.double.answers.lines import Lines
from tests.double.answers.prompts import fitted, rendered, token_count
from tests.double.answers.schema_examples import BadSchema, example
from tests.double.endpoints.answer_sources import speech_of
from tests.double.endpoints.answer_stream import Answer
from tests.double.endpoints.model_request import Asked
from tests.double.wire.go_bodies import Body, Refusal, check_format, check_options
from tests.double.wire.http import ClientLeft

if TYPE_CHECKING:
    from tests.double.answers.prompts import Message
    from tests.double.scripted_state import ScriptedState


class Turn(Asked):
    """What is asked, as it is answered."""

    def run(self) -> None:
        """Load, unload or answer."""
        keep, asked = self.body.get("keep_alive"), bool(self.prompt.messages)
        if not asked and keep == 0 and self.stage.age.has("unload"):
            self._unload()
            self._say_nothing("unload")
            return
        self._check()
        if not asked:
            self._loaded(keep)
            return
        with self.stage.slots.held(self.model.weights, self.exchange.connection):
            try:
                self._loaded(keep)
            except ClientLeft:
                if self.fault and self.fault.kind == "cancel_blocks":
                    self.stage.slots.block(self.model.weights)
                raise

    def _unload(self) -> None:
        self.stage.loaded.unload(self.model)
        self.stage.slots.free(self.model.weights)

    def _loaded(self, keep: object) -> None:
        """With the model in memory: say what is to be said."""
        try:
            self._load(keep if isinstance(keep, float) else None)
            if self.prompt.messages:
                self._answer()
            else:
                self._say_nothing("load")
        finally:
            self.stage.loaded.release(self.model)
            if keep == 0:
                self.stage.loaded.unload(self.model)

    def _check(self) -> None:
        asked = quoted(str(self.body["model"]))
        if "completion" not in self.model.capabilities:
            raise Refusal(400, f"{asked} does not support {self.shape}")
        picky = self.stage.version == "0.12.4" and "think" in self.body  # it alone refused False too (protocol.md §8)
        if (self.body.get("think") or picky) and "thinking" not in self.model.capabilities:
            raise Refusal(400, f"{asked} does not support thinking")
        self.options = check_options({**_listed(self.model.parameters), **_set(self.body.get("options"))})
        self.streams = self.body.get("stream", True) is True
        self.exchange.prepared = self.streams and bool(self.prompt.messages)
        self._check_schema()

    def _check_schema(self) -> None:
        """`format` is JSON, a schema that can be used, or nothing."""
        form, native = self.body.get("format"), self.stage.age.has("native")
        check_format(form)
        try:
            example(form, "")
        except BadSchema as bad:
            words = f"Field 'json_schema': \"json_schema\": JSON schema conversion failed:\n{bad}"
            error = go_json({"error": {"code": 400, "message": words, "type": "invalid_request_error"}})
            text = error if native else "invalid JSON schema in format"
            raise Refusal(400 if native else 500, text, late=True) from None

        if self.stage.late_calls and self.body.get("tools") and self.body.get("logprobs"):
            words = "logprobs is not supported with tools + stream"
            raise Refusal(400, go_json({"error": {"code": 400, "message": words, "type": "invalid_request_error"}}))

    def _load(self, keep: float | None) -> None:
        """A load that the client does not wait for is given up."""
        wanted = {**self.options, "shift": self.body.get("shift", True)}
        if self.stage.loaded.load(self.model, wanted, keep):
            try:
                self.exchange.connection.pause(self.stage.load_seconds)
            except ClientLeft:
                self.stage.loaded.unload(self.model)
                raise
        if self.refusal and self.prompt.messages:
            raise Refusal(400, self.refusal, late=True)

    def _answer(self) -> None:
        load_ns = time.monotonic_ns() - self.exchange.arrived
        messages = fitted(self.model, self.prompt, self.options, self.body, self.stage.age)
        if self.body.get("_debug_render_only"):
            self._render(messages)
            return
        speech = speech_of(self, messages)
        count = token_count(messages)
        Answer(
            self.exchange,
            self._lines(),
            speech.deltas,
            pace=0.0 if speech.own_pace else self.stage.tokens_per_second,
            first=0.0 if speech.own_pace else self.stage.first_pause,
            prompt_tokens=count,
            load_ns=load_ns,
            limit=self._limit(count),
            context=self._context(messages) if self.shape == "generate" and not self.body.get("raw") else None,
            fault=self.fault,
            cut=speech.cut,
        ).send(stream=self.streams)

    def _lines(self) -> Lines:
        top = self.body.get("top_logprobs", 0)
        counted = (int(top) if isinstance(top, (int, float)) else 0) if self.body.get("logprobs") else None
        remote = (self.model.remote_model, self.model.remote_host) if self.model.remote_host else None
        name = str(self.body["model"])
        return Lines(name, self.shape, self.stage.age, counted, remote, self.stage.late_calls)

    def _limit(self, count: int) -> int | None:
        """Tokens that may be said: `num_predict`, or what the window has left where it is not shifted."""
        asked = self.options.get("num_predict")
        limits = [asked] if isinstance(asked, int) and asked > 0 else []
        if self.body.get("shift") is False:
            limits.append(max(1, self.model.window(self.options) - count))
        return min(limits, default=None)

    def _context(self, messages: list[Message]) -> Context:
        text = self.prompt.text or rendered(messages, thinks=False)
        return Context(self.stage, text)

    def _render(self, messages: list[Message]) -> None:
        asked = "thinking" in self.model.capabilities and bool(self.body.get("think"))
        text = rendered(messages, thinks=asked) if self.prompt.text is None else self.prompt.text
        self.exchange.json({**self._nothing(role=""), "done": False, "_debug_info": {"rendered_template": text}})

    def _nothing(self, role: str = "assistant") -> Body:
        said = {"message": {"role": role, "content": ""}} if self.shape == "chat" else {"response": ""}
        return {"model": self.body["model"], "created_at": go_time(time.time_ns()), **said}

    def _say_nothing(self, reason: str) -> None:
        ended = {"done_reason": reason} if self.stage.age.has("done_reason") else {}
        self.exchange.json({**self._nothing(), "done": True, **ended})


@dataclass(frozen=True)
class Context:
    """Makes the numbers of prompt and answer when the answer is known."""

    stage: ScriptedState
    prompt: str

    def __call__(self, said: str) -> list[int]:
        """All of them, as the last line of generate has them."""
        return self.stage.vocabulary.encode(self.prompt + said + "<|im_end|>\n")


def _set(options: object) -> Body:
    return {key: value for key, value in options.items() if value is not None} if isinstance(options, dict) else {}


def _listed(parameters: tuple[tuple[str, object], ...]) -> Body:
    """The model's own parameters as options; a single stop is a list of one."""
    return {key: [value] if key == "stop" and isinstance(value, str) else value for key, value in parameters}
