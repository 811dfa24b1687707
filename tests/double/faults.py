"""Scripted faults for tests: what can go wrong with a reply, and when."""

from __future__ import annotations

import math
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.double.answers.deltas import Delta

Kind = Literal[
    # before the first chunk
    "silence_first",  # nothing for `seconds` (default: until the client leaves), then the answer as usual
    "error_first",  # `status` and {"error": `error`}, or `body` as it stands
    "reset_first",  # a TCP reset instead of a reply
    "close_first",  # the connection is closed without a reply
    "html",  # a web page with `status` 200 or as set
    "raw",  # `body` as the whole reply, status line and all
    # after `after` chunks
    "error_line",  # the line {"error": `error`}, then a proper end
    "no_done",  # a proper end without a done line
    "drop",  # a TCP reset
    "close",  # the connection is closed without the last chunk, as when the server is killed
    "half_line",  # half of the next line, then a proper end
    "garbage_line",  # the line `body`, then the answer goes on
    "silence",  # nothing for `seconds` (default: until the client leaves), then the answer goes on
    # another answer
    "content_type",  # the answer under the content type `error`
    "endless",  # an answer that never ends, as fast as possible
    "late_content",  # the last piece stands in the line that says done
    "cancel_blocks",  # when the client leaves, the model answers nobody until it is unloaded
    "script",  # the answer is `script`
]
FIRST = frozenset({"silence_first", "error_first", "reset_first", "close_first", "html", "raw"})
PAGE = b"<!DOCTYPE html>\n<html><head><title>Welcome</title></head><body><h1>It works!</h1></body></html>\n"


@dataclass(frozen=True)
class Fault:
    """One fault; it strikes the first request for `path` that comes, and is then used up."""

    kind: Kind
    after: int = 3
    seconds: float = math.inf
    status: int = 500
    error: str = "an error was encountered while running the model: unexpected EOF"
    body: bytes | None = None
    script: Sequence[str | Delta] = ()
    path: str = "/api/chat"


def nobody() -> str:
    """A loopback URL where nothing listens, so that a connection is refused."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"
