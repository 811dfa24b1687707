"""Runs in a kernel: the ways to show an answer that a user could write in ten lines, and what each way costs."""

from __future__ import annotations

import json
import os
import re
import statistics
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from IPython import get_ipython

from tests.bench.answers import answer, marks, pieces
from tests.bench.in_kernel import cpu

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_SHOWN = ("comm_open", "comm_msg", "display_data", "update_display_data")
_FIRST = re.compile(rb"# A|<h1>")  # how every answer begins, as Markdown and as HTML


class Sent(NamedTuple):
    """A message of the kernel: when, its bytes, the newest mark in it (-1: none), and whether it has the beginning."""

    when: float
    size: int
    mark: int
    first: bool


@contextmanager
def sent() -> Iterator[list[Sent]]:
    """Note every message that shows something."""
    session, found = get_ipython().kernel.session, list[Sent]()
    real = session.serialize

    def noting(message: dict[str, Any], ident: Any = None) -> list[bytes]:
        parts = list(real(message, ident))
        if message["header"]["msg_type"] in _SHOWN:
            body = parts[-1]
            at = body.rfind(b"qz")
            mark = re.match(rb"qz(\d+)z", body[at : at + 12]) if at >= 0 else None
            first = _FIRST.search(body[:2000]) is not None
            found.append(Sent(time.time(), sum(map(len, parts)), int(mark[1]) if mark else -1, first))
        return parts

    session.serialize = noting
    try:
        yield found
    finally:
        session.serialize = real


def read_only(prompt: str) -> None:
    """The raw loop: read the answer with httpx, and count its tokens."""
    import httpx

    body = {"model": "demo", "messages": [{"role": "user", "content": prompt}]}
    url, found = os.environ["BENCH_SERVER"] + "/api/chat", 0
    with httpx.Client(trust_env=False, timeout=None) as client, client.stream("POST", url, json=body) as response:
        for line in response.iter_lines():
            found += bool(json.loads(line)["message"]["content"])
    assert found > 100


def updated(prompt: str, pause: float) -> None:
    """ollama-python, and the whole Markdown again with every token, or after a pause."""
    import ollama
    from IPython.display import Markdown, display

    client = ollama.Client(host=os.environ["BENCH_SERVER"])
    handle: Any = display(Markdown(""), display_id=True)  # type: ignore[no-untyped-call]
    text, last = "", 0.0
    for part in client.chat(model="demo", messages=[{"role": "user", "content": prompt}], stream=True):
        text += part.message.content or ""
        if time.monotonic() - last >= pause:
            last = time.monotonic()
            handle.update(Markdown(text))  # type: ignore[no-untyped-call]
    handle.update(Markdown(text))  # type: ignore[no-untyped-call]


WAYS: dict[str, Callable[[str], object]] = {
    "raw": read_only,
    "ours": lambda prompt: get_ipython().run_cell_magic("chat", "--once", prompt),
    "tenth": lambda prompt: updated(prompt, 0.1),
    "token": lambda prompt: updated(prompt, 0.0),
}


def spent(way: str, tokens: int, rate: int = 0) -> float:
    """CPU seconds of the whole kernel for one answer."""
    return cpu(lambda: WAYS[way](f"{tokens} at {rate}"))


def shown(way: str, tokens: int, rate: int = 0) -> dict[str, float]:
    """What one answer sends: bytes per byte, ms from its first token to the first message, median ms of a mark."""
    text = answer(tokens)
    with sent() as messages:
        WAYS[way](f"{tokens} at {rate}")
    times: list[float] = json.loads(Path(os.environ["BENCH_TIMES"]).read_text())
    first = next(one.when for one in messages if one.first)
    return {
        "bytes": sum(one.size for one in messages) / len(text.encode()),
        "messages": len(messages),
        "first": 1000 * (first - times[0]),
        "delay": 1000 * statistics.median(_delays(text, times, messages)),
    }


def _delays(text: str, times: list[float], messages: list[Sent]) -> Iterator[float]:
    """For each mark, the time from its last token to the message that shows it or a later one."""
    ends, at = list[int](), 0
    for piece in pieces(text):
        at += len(piece)
        ends.append(at)
    token = message = 0
    for end, number in marks(text):
        while ends[token] < end:
            token += 1
        while messages[message].mark < number:
            message += 1
        yield max(messages[message].when - times[token], 0.0)
