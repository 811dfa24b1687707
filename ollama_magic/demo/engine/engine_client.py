"""One request to the engine's process: an answer as a whole, or its events as they come."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Union

from ollama_magic.demo.language_model import ModelError
from ollama_magic.foreign import repaired

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ollama_magic.demo.engine.engine_process import EngineProcess

_LOOK = 0.04  # seconds after which a silent stream says so
_Found = Union[dict[str, Any], ModelError, None]  # noqa: UP007 — evaluated at run time, also by Python 3.9


class BrokenOff(ModelError):
    """The connection to the engine has ended before its reply."""

    def __init__(self) -> None:
        super().__init__(500, "an error was encountered while running the model: unexpected EOF")


def post(engine: EngineProcess, path: str, body: Mapping[str, Any]) -> Any:
    """The reply to one request, as JSON.

    Raises:
        ModelError: The engine refuses, or has died.
    """
    connection = _connected(engine)
    try:
        return json.loads(_asked(connection, engine.key, path, body).read())
    except (OSError, http.client.HTTPException, ValueError) as error:
        engine.stop()
        raise BrokenOff from error
    finally:
        connection.close()


def events(engine: EngineProcess, path: str, body: Mapping[str, Any]) -> Iterator[dict[str, Any] | None]:
    """The events of one request as they come, and None while there is none; closing it stops the engine's work.

    Raises:
        ModelError: The engine refuses, or dies on the way.
    """
    connection = _connected(engine)
    sock, found = connection.sock, SimpleQueue[_Found]()
    reading = threading.Thread(target=_read, args=(connection, engine.key, path, body, found), daemon=True)
    reading.start()
    try:
        yield from _as_they_come(found)
    except BrokenOff:
        engine.stop()  # it has died, or is of no use any more
        raise
    finally:
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)  # wakes the reading thread, and the engine sees that nobody listens


def _as_they_come(found: SimpleQueue[_Found]) -> Iterator[dict[str, Any] | None]:
    while True:
        try:
            event = found.get(timeout=_LOOK)
        except Empty:
            yield None
            continue
        if isinstance(event, ModelError):
            raise event
        if event is None:
            return
        yield event


def _read(
    connection: http.client.HTTPConnection, key: str, path: str, body: Mapping[str, Any], found: SimpleQueue[_Found]
) -> None:
    """Put every event into the queue, and then None, or the error that ended them."""
    try:
        for event in _decoded(_asked(connection, key, path, {**body, "stream": True})):
            found.put(event)
        found.put(None)
    except ModelError as error:
        found.put(error)
    except (OSError, http.client.HTTPException, ValueError):
        found.put(BrokenOff())
    finally:
        connection.close()


def _decoded(response: http.client.HTTPResponse) -> Iterator[dict[str, Any]]:
    """The events of a stream up to the one that ends the answer; ModelError if there is none."""
    for line in response:
        field, _, data = line.partition(b": ")
        if field == b"data":
            event = json.loads(data)
            if "error" in event:
                raise ModelError(int(event["error"].get("code", 500)), json.dumps(event, ensure_ascii=False))
            yield event
            if event.get("stop"):
                return
    raise BrokenOff


def _connected(engine: EngineProcess) -> http.client.HTTPConnection:
    connection = http.client.HTTPConnection(engine.host, engine.port)
    try:
        connection.connect()
    except OSError as error:
        engine.stop()
        raise BrokenOff from error
    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _asked(
    connection: http.client.HTTPConnection, key: str, path: str, body: Mapping[str, Any]
) -> http.client.HTTPResponse:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    text = repaired(json.dumps(body, ensure_ascii=False))  # llama.cpp reads no lone surrogates
    connection.request("POST", path, text.encode(), headers)
    response = connection.getresponse()
    if response.status != http.HTTPStatus.OK:
        raise ModelError(response.status, response.read().decode("utf-8", "replace"))
    return response
