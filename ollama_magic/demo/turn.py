"""One request of a model, from its checks over loading to the answer: what chat and generate have in common."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ollama_magic.demo.bodies import Body, Refusal, check_format, check_options
from ollama_magic.demo.deltas import Delta, as_deltas
from ollama_magic.demo.generation import Answer
from ollama_magic.demo.go import go_time, quoted
from ollama_magic.demo.prompts import fitted, rendered, token_count
from ollama_magic.demo.replies import Recorded, reply_to
from ollama_magic.demo.wire import ClientLeft

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ollama_magic.demo.faults import Fault
    from ollama_magic.demo.models import DemoModel
    from ollama_magic.demo.prompts import Message
    from ollama_magic.demo.stage import Stage
    from ollama_magic.demo.wire import Exchange


@dataclass
class Turn:
    """A checked request: the body's fields, the model it found, and the messages it brings."""

    stage: Stage
    exchange: Exchange
    fault: Fault | None
    body: Body
    model: DemoModel
    shape: Literal["chat", "generate"]
    given: list[Message]

    def run(self) -> None:
        """Load, unload or answer."""
        runners, keep = self.stage.runners, self.body.get("keep_alive")
        if not self.given and keep == 0:
            runners.unload(self.model)
            self._say_nothing("unload")
            return
        self._check()
        try:
            self._load(keep if isinstance(keep, float) else None)
            if self.given:
                self._answer()
            else:
                self._say_nothing("load")
        finally:
            runners.release(self.model)
            if keep == 0:
                runners.unload(self.model)

    def _check(self) -> None:
        asked = quoted(str(self.body["model"]))
        if "completion" not in self.model.capabilities:
            raise Refusal(400, f"{asked} does not support {self.shape}")
        if self.body.get("think") and "thinking" not in self.model.capabilities:
            raise Refusal(400, f"{asked} does not support thinking")
        self.options = check_options(self.body.get("options"))
        self.streams = self.body.get("stream", True) is True
        self.exchange.prepared = self.streams and bool(self.given)
        check_format(self.body.get("format"))

    def _load(self, keep: float | None) -> None:
        """A load that the client does not wait for is given up."""
        if self.stage.runners.load(self.model, self.options, keep):
            try:
                self.exchange.connection.pause(self.stage.load_seconds)
            except ClientLeft:
                self.stage.runners.unload(self.model)
                raise

    def _answer(self) -> None:
        load_ns = time.monotonic_ns() - self.exchange.arrived
        messages = fitted(self.model, self.given, self.options, self.body)
        if self.body.get("_debug_render_only"):
            self._render(messages)
            return
        deltas, own_pace = self._deltas(messages)
        limit, count = self.options.get("num_predict"), token_count(messages)
        Answer(
            self.exchange,
            str(self.body["model"]),
            deltas,
            self.shape,
            pace=0.0 if own_pace else self.stage.tokens_per_second,
            first=0.0 if own_pace else self.stage.first_pause,
            prompt_tokens=min(count, self.model.window(self.options)),
            load_ns=load_ns,
            limit=limit if isinstance(limit, int) and limit > 0 else None,
            context=list(range(1, count + 1)) if self.shape == "generate" and not self.body.get("raw") else [],
            fault=self.fault,
        ).send(stream=self.streams)

    def _deltas(self, messages: list[Message]) -> tuple[Iterable[Delta], bool]:
        """The answer's pieces, and whether they bring their own pace."""
        stage = self.stage
        if self.fault and self.fault.kind == "script":
            return list(as_deltas(self.fault.script)), False
        if stage.answers:
            given = stage.answers(self.exchange.request.json)
            return (list(as_deltas(given)) if isinstance(given, (list, tuple)) else as_deltas(given)), False
        thinks = "thinking" in self.model.capabilities and self.body.get("think", True) is not False
        reply = reply_to(messages, thinks=thinks, form=self.body.get("format"))
        if isinstance(reply, Recorded):
            return reply.deltas(at_its_pace=stage.pace is None), stage.pace is None
        return _until_stop(reply.deltas(), self.options.get("stop")), False

    def _render(self, messages: list[Message]) -> None:
        asked = "thinking" in self.model.capabilities and bool(self.body.get("think"))
        info = {"rendered_template": rendered(messages, thinks=asked)}
        self.exchange.json({**self._nothing(role=""), "done": False, "_debug_info": info})

    def _nothing(self, role: str = "assistant") -> Body:
        said = {"message": {"role": role, "content": ""}} if self.shape == "chat" else {"response": ""}
        return {"model": self.body["model"], "created_at": go_time(time.time_ns()), **said}

    def _say_nothing(self, reason: str) -> None:
        self.exchange.json({**self._nothing(), "done": True, "done_reason": reason})


def _until_stop(deltas: list[Delta], stops: object) -> list[Delta]:
    """The answer up to the first of its stop strings."""
    text = "".join(delta.content for delta in deltas)
    places = [text.find(stop) for stop in (stops if isinstance(stops, list) else []) if stop and stop in text]
    if not places:
        return deltas
    end, kept = min(places), []
    for delta in deltas:
        kept.append(Delta(delta.content[:end], delta.thinking, delta.wait))
        end -= len(delta.content)
        if end <= 0:
            break
    return kept
