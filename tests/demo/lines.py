"""Small readings of the demo server's replies that several tests share."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.demo.asking import Answer, ask

if TYPE_CHECKING:
    from tests.double import ScriptedServer


def post(server: ScriptedServer, endpoint: str, method: str = "POST", **body: object) -> Answer:
    """One request of an endpoint below /api."""
    return ask(server.url, method, f"/api/{endpoint}", body)


def told(server: ScriptedServer, endpoint: str, **body: object) -> dict:
    """The one object of a reply."""
    return json.loads(post(server, endpoint, **body).body)


def error(server: ScriptedServer, endpoint: str, method: str = "POST", **body: object) -> tuple[int, str]:
    """Status and error text."""
    reply = post(server, endpoint, method, **body)
    return reply.status, json.loads(reply.body)["error"]


def statuses(answer: Answer) -> list[str]:
    """What each line of progress says; an error has its own mark."""
    return [line.get("status") or f"error: {line['error']}" for line in answer.lines]


def names(server: ScriptedServer) -> list[str]:
    """The models that the server lists."""
    return [model["name"] for model in json.loads(ask(server.url, path="/api/tags").body)["models"]]


def loaded(server: ScriptedServer) -> list[dict]:
    """The models that are loaded."""
    return json.loads(ask(server.url, path="/api/ps").body)["models"]
