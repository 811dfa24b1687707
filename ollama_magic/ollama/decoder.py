"""Decoders for streamed answers. Pure: they only buffer the unfinished line."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Generic, TypeVar

from ollama_magic.foreign import one_line, repaired
from ollama_magic.ollama.protocol import ChatChunk, Progress
from ollama_magic.ollama.server_errors import error_of, kind_of, with_cure
from ollama_magic.ollama.stats import Stats, count
from ollama_magic.ollama.tool_calls import calls_from

if TYPE_CHECKING:
    from collections.abc import Callable

    from ollama_magic.ollama.messages import ToolCall

T = TypeVar("T")
LINE_BYTES = 8_000_000
_VALUES_IN_A_LINE = 1000
_read_value = json.JSONDecoder().raw_decode
_SPACE = re.compile(r"[ \t\r\n]*")


class LineDecoder(Generic[T]):
    """Decodes the bytes of a stream, however they are split; after the end mark it ignores the rest.

    Lines end at a newline and nowhere else (protocol.md §23.6). `begun` says whether any object arrived.
    """

    def __init__(self, line_bytes: int = LINE_BYTES, mask: Callable[[str], str] = str) -> None:
        self.begun = False
        self.ended = False
        self._line_bytes = line_bytes
        self._mask = mask
        self._held = bytearray()

    def feed(self, data: bytes) -> list[T]:
        """Return the values of the lines that these bytes complete."""
        chunks: list[T] = []
        if data.find(b"\n") == len(data) - 1 and not self._held and data and not self.ended:
            self._read(data[:-1], chunks)  # one whole line, as servers send them
            return chunks
        lines = data.split(b"\n")
        if self._held and len(lines) > 1:
            lines[0] = self._released(lines[0])
        rest = lines.pop()
        for line in lines:
            if line and not self.ended:
                self._read(line, chunks)
        if rest and not self.ended:
            self._hold(rest, chunks)
        return chunks

    def close(self) -> list[T]:
        """Return the values of a last line without a newline; an incomplete one is dropped."""
        chunks: list[T] = []
        if self._held and not self.ended:
            self._read(self._released(b""), chunks, whole=False)
        return chunks

    def cut(self, why: str) -> T:
        """Return the value that says why the stream broke off."""
        raise NotImplementedError

    def _failed(self, error: str) -> T:
        raise NotImplementedError

    def _value(self, value: dict[str, object]) -> tuple[T, bool]:
        """Return the value of an object, and whether it is the last one."""
        raise NotImplementedError

    def _hold(self, rest: bytes, chunks: list[T]) -> None:
        self._held += rest
        if len(self._held) > self._line_bytes:
            self._end(chunks, self.cut(self._too_long))

    def _released(self, end: bytes) -> bytes:
        line = bytes(self._held + end)
        self._held.clear()
        return line

    def _end(self, chunks: list[T], last: T) -> None:
        self._held.clear()
        self.ended = True
        chunks.append(last)

    @property
    def _too_long(self) -> str:
        return f"the server sent a line of more than {self._line_bytes:,} bytes"

    def _read(self, line: bytes, chunks: list[T], *, whole: bool = True) -> None:
        if len(line) > self._line_bytes:
            self._end(chunks, self.cut(self._too_long))
            return
        text = line.decode("utf-8", "replace")
        try:
            value, end = _read_value(text)
        except (ValueError, RecursionError):
            end = -1
        if end == len(text):
            self._take(value, chunks)
        else:
            self._read_odd(text, chunks, whole)

    def _read_odd(self, text: str, chunks: list[T], whole: bool) -> None:
        """Read a line that is not one JSON value: blank, with a byte order mark, several values, or garbage."""
        at = _SPACE.match(text, 1 if text.startswith("\ufeff") else 0).end()  # type: ignore[union-attr]
        for _ in range(_VALUES_IN_A_LINE):
            if at == len(text) or self.ended:
                return
            try:
                value, at = _read_value(text, at)
            except (ValueError, RecursionError):
                break
            self._take(value, chunks)
            at = _SPACE.match(text, at).end()  # type: ignore[union-attr]
        if whole or not self.begun:
            excerpt = one_line(self._mask(text[at : at + 4000]), 80)
            self._end(chunks, self._failed(f"the server sent a line that is not JSON: {excerpt}"))

    def _take(self, value: object, chunks: list[T]) -> None:
        if not isinstance(value, dict):
            return
        self.begun = True
        if value.get("error") or "StatusCode" in value:
            masked = json.loads(self._mask(json.dumps(value)))  # a server may repeat the key that it refuses
            self._end(chunks, self._failed(error_of(masked) or "an error without words"))
            return
        found, last = self._value(value)
        if last:
            self._end(chunks, found)
        else:
            chunks.append(found)


class ChunkDecoder(LineDecoder[ChatChunk]):
    """Reads the answers of chat and of generate, which has its text in `response` (protocol.md §7)."""

    def __init__(self, line_bytes: int = LINE_BYTES, mask: Callable[[str], str] = str) -> None:
        super().__init__(line_bytes, mask)
        self._model = ("", "")

    def cut(self, why: str) -> ChatChunk:
        """Return the chunk that says why the stream broke off."""
        return ChatChunk(cut=why)

    def _failed(self, error: str) -> ChatChunk:
        return ChatChunk(error=error)

    def _value(self, value: dict[str, object]) -> tuple[ChatChunk, bool]:
        if value.get("done") is True:
            return self._last(value), True
        content, thinking = _deltas(value)
        return ChatChunk(content, thinking, model=self._model_of(value), tool_calls=_calls(value)), False

    def _last(self, value: dict[str, object]) -> ChatChunk:
        content, thinking = _deltas(value)
        reason = value.get("done_reason")
        return ChatChunk(
            content,
            thinking,
            done=True,
            done_reason=one_line(reason, 40) if isinstance(reason, str) else None,
            stats=_stats(value),
            model=self._model_of(value),
            tool_calls=_calls(value),
        )

    def _model_of(self, value: dict[str, object]) -> str:
        raw = value.get("model")
        if raw != self._model[0] and isinstance(raw, str):
            self._model = (raw, one_line(raw))
        return self._model[1]


class ProgressDecoder(LineDecoder[Progress]):
    """Reads the lines of pull and create (protocol.md §17.1).

    `success` ends a pull; in a create (`ends` is False) it may belong to the base's download.
    """

    def __init__(self, line_bytes: int = LINE_BYTES, mask: Callable[[str], str] = str, *, ends: bool = True) -> None:
        super().__init__(line_bytes, mask)
        self._ends = ends

    def cut(self, why: str) -> Progress:
        """Return the line that says why the stream broke off."""
        return Progress(cut=why)

    def _failed(self, error: str) -> Progress:
        return Progress(error=with_cure(error), kind=kind_of(error))

    def _value(self, value: dict[str, object]) -> tuple[Progress, bool]:
        found = Progress(
            status=self._line(value.get("status")),
            digest=self._line(value.get("digest")),
            total=count(value.get("total")),
            completed=count(value.get("completed")),
        )
        return found, found.done and self._ends

    def _line(self, text: object) -> str:
        return one_line(self._mask(text)) if isinstance(text, str) else ""


def _deltas(value: dict[str, object]) -> tuple[str, str]:
    message = value.get("message")  # v0.1.14 to 16 omit it in the last chunk (protocol.md §22)
    if isinstance(message, dict):
        content, thinking = message.get("content"), message.get("thinking")
    else:
        content, thinking = value.get("response"), value.get("thinking")
    return (
        repaired(content) if isinstance(content, str) else "",
        repaired(thinking) if isinstance(thinking, str) else "",
    )


def _calls(value: dict[str, object]) -> tuple[ToolCall, ...]:
    message = value.get("message")
    found = message.get("tool_calls") if isinstance(message, dict) else None
    return calls_from(found) if found else ()


def _stats(value: dict[str, object]) -> Stats:
    return Stats(
        total_ns=count(value.get("total_duration")),
        load_ns=count(value.get("load_duration")),
        prompt_tokens=count(value.get("prompt_eval_count")),
        prompt_ns=count(value.get("prompt_eval_duration")),
        answer_tokens=count(value.get("eval_count")),
        answer_ns=count(value.get("eval_duration")),
    )
