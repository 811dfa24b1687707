"""One answer's lines: the objects of chat and generate, in the order of their keys (protocol.md §6.2, §7)."""

from __future__ import annotations

import hashlib
import string
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ollama_magic.demo.transport.go_format import go_json, go_time
from tests.double.answers.deltas import Delta

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.double.answers.deltas import Call
    from tests.double.library.versions import Age

_LETTERS = string.ascii_letters + string.digits
Object = dict[str, object]


@dataclass
class Lines:
    """How the pieces of one answer are written; `logprobs` is the number of alternatives, None for none at all."""

    name: str
    shape: Literal["chat", "generate"]
    age: Age
    logprobs: int | None = None
    remote: tuple[str, str] | None = None  # model and host
    late_calls: bool = False
    calls: int = 0

    def __post_init__(self) -> None:
        self._plain = self.shape == "chat" and self.logprobs is None and self.remote is None
        self._name_json = go_json(self.name)

    def piece(self, delta: Delta) -> bytes:
        """The line of one piece."""
        if not self._plain or delta.thinking or delta.calls:
            return self.written({**self._front(delta), "done": False, **self._odds([delta])})
        now, said = go_time(time.time_ns()), go_json(delta.content)
        front = f'{{"model":{self._name_json},"created_at":"{now}","message":{{"role":"assistant","content":'
        return f'{front}{said}}},"done":false}}\n'.encode()

    def last(self, delta: Delta, ending: Object) -> bytes:
        """The line that says done; the oldest servers left `message` out of it."""
        front = self._front(delta)
        if not self.age.has("last_message"):
            front.pop("message", None)
        return self.written({**front, **self._ended(ending, [delta] if delta.content else [])})

    def whole(self, deltas: Sequence[Delta], ending: Object) -> Object:
        """The one object of an answer that is not streamed."""
        said = Delta(
            "".join(delta.content for delta in deltas),
            "".join(delta.thinking for delta in deltas),
            calls=tuple(call for delta in deltas for call in delta.calls),
        )
        return {**self._front(said), **self._ended(ending, deltas)}

    def _ended(self, ending: Object, deltas: Sequence[Delta]) -> Object:
        """The statistics; logprobs stand before them in chat, behind them in generate."""
        odds = self._odds(deltas)
        if self.shape == "generate":
            return {**ending, **odds}
        front: Object = {key: ending[key] for key in ("done", "done_reason") if key in ending}
        return {**front, **odds, **{key: value for key, value in ending.items() if key not in front}}

    @staticmethod
    def written(value: Object) -> bytes:
        """An object as a line."""
        return (go_json(value) + "\n").encode()

    def _front(self, delta: Delta) -> Object:
        remote = {"remote_model": self.remote[0], "remote_host": self.remote[1]} if self.remote else {}
        front: Object = {"model": self.name, **remote, "created_at": go_time(time.time_ns())}
        thinking = {"thinking": delta.thinking} if delta.thinking else {}
        if self.shape == "generate":
            return {**front, "response": delta.content, **thinking}
        calls = {"tool_calls": [self._call(call) for call in delta.calls]} if delta.calls else {}
        return {**front, "message": {"role": "assistant", "content": delta.content, **thinking, **calls}}

    def _call(self, call: Call) -> Object:
        """A call, with the id that its style has; old servers gave none."""
        place, self.calls = self.calls, self.calls + 1
        seed = hashlib.sha256(f"{time.time_ns()} {place} {call.name}".encode()).digest()
        if self.late_calls:
            identity = "".join(_LETTERS[byte % 62] for byte in seed)
        else:
            identity = "call_" + "".join(_LETTERS.lower()[byte % 26] for byte in seed[:8])
        named = {"id": identity} if self.age.has("call_ids") else {}
        return {**named, "function": {"index": place, "name": call.name, "arguments": dict(call.arguments)}}

    def _odds(self, deltas: Sequence[Delta]) -> Object:
        if self.logprobs is None or not deltas:
            return {}
        return {"logprobs": [self._odd(delta.content or delta.thinking) for delta in deltas]}

    def _odd(self, token: str) -> Object:
        own = _odds_of(token, 0)
        if not self.logprobs:
            return own
        others = [_odds_of(f" {'abcdefghijklmnopqrst'[place]}", place + 1) for place in range(self.logprobs - 1)]
        return {**own, "top_logprobs": [own, *others]}


def _odds_of(token: str, place: int) -> Object:
    chance = -0.001 * (1 + hashlib.sha256(token.encode("utf-8", "replace")).digest()[0]) - 3.0 * place
    return {"token": token, "logprob": round(chance, 6), "bytes": list(token.encode("utf-8", "replace"))}
