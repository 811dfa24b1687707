"""Account, cloud and web search: what a server says that is signed in nowhere and has no way out."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tests.double.wire.go_bodies import Refusal

if TYPE_CHECKING:
    from tests.double.faults import Fault
    from tests.double.scripted_state import ScriptedState
    from tests.double.wire.http import Exchange


def me(_stage: ScriptedState, _exchange: Exchange, _fault: Fault | None) -> None:
    """Who is signed in; a server that cannot ask says so."""
    raise Refusal(503, "account unavailable")


def signout(_stage: ScriptedState, _exchange: Exchange, _fault: Fault | None) -> None:
    """Sign out; nobody is in."""
    raise Refusal(500, "there was an error signing out")


def status(_stage: ScriptedState, exchange: Exchange, _fault: Fault | None) -> None:
    """Whether the cloud is switched off."""
    exchange.json({"cloud": {"disabled": False, "source": "none"}})


def recommendations(stage: ScriptedState, exchange: Exchange, _fault: Fault | None) -> None:
    """The models that can be pulled here: invented ones."""
    items = [
        {"model": model.name, "description": ", ".join(model.capabilities), "context_length": model.context_length}
        for model in stage.pullable
    ]
    exchange.json({"recommendations": items})


def web(_stage: ScriptedState, exchange: Exchange, _fault: Fault | None) -> None:
    """Search or fetch: ollama.com cannot be reached."""
    if not exchange.request.body.strip():
        raise Refusal(400, "missing request body")
    raise Refusal(502, unreachable(exchange.path.replace("/experimental", "")))


def unreachable(path: str) -> str:
    """What a server without a way out says of ollama.com."""
    place = f"https://ollama.com:443{path}?ts={int(time.time())}"
    return f'Post "{place}": dial tcp: lookup ollama.com on 127.0.0.53:53: no such host'
