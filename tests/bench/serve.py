"""A demo server as a process: prints its address, and lives as long as its standard input is open.

The prompt says what to answer: «2000» is so many tokens as fast as possible, «2000 at 150» so many in a second.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from ollama_magic.demo.answers.deltas import Delta
from ollama_magic.demo.server import DemoServer
from tests.bench.answers import answer, pieces

if TYPE_CHECKING:
    from collections.abc import Iterable


def answers(body: dict[str, Any]) -> Iterable[str | Delta]:
    """The tokens that the prompt asks for."""
    tokens, _, rate = body["messages"][-1]["content"].strip().partition(" at ")
    found = pieces(answer(int(tokens)))
    return (Delta(piece, wait=1 / float(rate)) for piece in found) if rate else found


if __name__ == "__main__":
    with DemoServer(pace=0, answers=answers) as server:
        print(server.url, flush=True)
        sys.stdin.read()
