"""What a scripted server answers to a row, and what it was asked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal, TypedDict

if TYPE_CHECKING:
    from tests.double import ScriptedServer


class Mood(TypedDict):
    """What a row's answer is."""

    mood: Literal["good", "bad"]


def moods(body: dict[str, Any]) -> list[str]:
    """Good, if the prompt says so."""
    return [json.dumps({"mood": "good" if "fine" in body["prompt"] else "bad"})]


def echo(body: dict[str, Any]) -> list[str]:
    """The prompt itself."""
    return [body["prompt"]]


def prompts(server: ScriptedServer) -> list[str]:
    """The prompts that reached a server."""
    return [request.json["prompt"] for request in server.requests if request.path == "/api/generate"]
