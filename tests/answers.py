"""Scripted answers for tests in which the demo server speaks at a pace of its own; and what it has heard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from threading import Event

    from tests.double import RecordedRequest, ScriptedServer


def paragraphs(count: int) -> str:
    """A Markdown answer of that many paragraphs; paragraph n begins with the word «pn» in bold."""
    return "\n\n".join(f"**p{n}** is paragraph number {n} of `{count}`, and it says little more." for n in range(count))


def words(text: str) -> list[str]:
    """The text in pieces about as long as tokens."""
    return [text[i : i + 6] for i in range(0, len(text), 6)]


def held(text: str, released: Event) -> Iterator[str]:
    """The text in such pieces, the second half only when it is released."""
    pieces = words(text)
    yield from pieces[: len(pieces) // 2]
    released.wait(60)
    yield from pieces[len(pieces) // 2 :]


def chats(server: ScriptedServer) -> list[RecordedRequest]:
    """The turns that have reached the server."""
    return [request for request in server.requests if request.path == "/api/chat"]


def sent(request: RecordedRequest) -> list[tuple[str, str]]:
    """Role and content of every message of a turn."""
    messages: Any = request.json["messages"]
    return [(message["role"], message["content"]) for message in messages]
