"""Turns httpx's exceptions into errors of our own, one readable line each."""

from __future__ import annotations

import os
import socket
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx

from ollama_magic.errors import InputError, ServerError, ServerUnreachable
from ollama_magic.foreign import one_line
from ollama_magic.ollama.tls import missing_store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ollama_magic.errors import OllamaMagicError
    from ollama_magic.ollama.address import Address
    from ollama_magic.ollama.proxies import ProxySetting

LOST = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError, httpx.CloseError)
_MOST_CAUSES = 50


@dataclass(frozen=True)
class RequestContext:
    """The facts about a request that explain its failure."""

    address: Address
    proxy: ProxySetting | None
    connect_s: float
    read_s: float

    def failure(self, error: Exception) -> OllamaMagicError:
        """Return the error for a request without an answer."""
        if isinstance(error, httpx.ConnectError):
            return self._not_connected(error)
        if isinstance(error, httpx.ProxyError):
            return ServerUnreachable(self._proxy_line(f"refused ({one_line(str(error), 80)})"))
        if isinstance(error, httpx.ConnectTimeout | httpx.PoolTimeout):
            return ServerUnreachable(self._no_connection(f"nobody answered within {self.connect_s:g} s"))
        if isinstance(error, httpx.LocalProtocolError | httpx.InvalidURL | httpx.UnsupportedProtocol):
            url = self.address.url
            return InputError(f"No request can be written for {url}; check the host and the headers.")
        return ServerError(self._no_answer(error))

    def _no_answer(self, error: Exception) -> str:
        url = self.address.url
        if isinstance(error, httpx.TimeoutException):
            return f"{url} said nothing for {self.read_s:g} s; it may be busy or stuck; run this again."
        if isinstance(error, httpx.RemoteProtocolError):
            return _protocol_line(url, str(error))
        if isinstance(error, LOST):
            return f"{url} hung up before it answered; run this again."
        return f"The request to {url} failed ({type(error).__name__}); run this again."

    def _not_connected(self, error: Exception) -> OllamaMagicError:
        causes = list(_causes(error))
        for cause in causes:
            if isinstance(cause, ssl.SSLError):
                return ServerUnreachable(self._tls_line(cause))
        for cause in causes:
            if isinstance(cause, socket.gaierror):
                return ServerUnreachable(self._no_connection(f"there is no machine called {self.address.host}"))
        if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
            return ServerUnreachable(self._not_listening())
        codes = [cause.errno for cause in causes if isinstance(cause, OSError) and cause.errno]
        why = os.strerror(codes[-1]).lower() if codes else "the connection failed"
        return ServerUnreachable(self._no_connection(one_line(why, 80)))

    def _not_listening(self) -> str:
        if self.proxy:
            return self._proxy_line("does not answer")
        line = f"No Ollama server at {self.address.url}; start one with `ollama serve`, or try `%ollama demo`."
        if self.address.loopback and in_container():
            line += f" {self.address.target} is this container; a server outside it has another address."
        return line

    def _no_connection(self, why: str) -> str:
        if self.proxy:
            return self._proxy_line(f"cannot be reached ({why.replace(f'called {self.address.host}', 'of its name')})")
        return f"{self.address.url} cannot be reached: {why}; check the host and the port."

    def _proxy_line(self, what: str) -> str:
        variable = self.proxy.variable if self.proxy else "the environment"
        return f"The proxy that {variable} names {what}; fix it, or add {self.address.host} to NO_PROXY."

    def _tls_line(self, error: ssl.SSLError) -> str:
        url = self.address.url
        if isinstance(error, ssl.SSLCertVerificationError):
            why = one_line(error.verify_message or "unknown reason", 120)
            missing = missing_store(os.environ)
            cure = f"; {missing} names a missing file" if missing else ""
            own = "set OllamaMagic.ca_file to your organisation's certificate"
            return f"The certificate of {url} is not trusted ({why}){cure}; {own}."
        if error.reason in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG"):
            return f"{url} does not speak TLS; write http:// instead, or check the port."
        why = one_line((error.reason or "no reason given").replace("_", " ").lower(), 80)
        return f"No secure connection to {url} ({why}); check the host, the port and the certificates."


def _protocol_line(url: str, words: str) -> str:
    if "disconnected" in words or "closed connection" in words:
        return f"{url} hung up without an answer; run this again, and check the server's log if it happens again."
    if "too long" in words or "Too many" in words:
        return f"{url} sent headers that are too large; that is not Ollama; check the host and the port."
    if "location" in words.lower():
        return f"{url} redirects to an invalid address; check the host and the port."
    return f"The server at {url} does not speak HTTP; check the port."


def broken_off(error: Exception, silence_s: float) -> str:
    """Return the clause that says why a body broke off."""
    if isinstance(error, httpx.TimeoutException):
        return f"the server fell silent for {silence_s:g} s"
    if isinstance(error, httpx.RemoteProtocolError):
        ended = "closed connection" in str(error)
        return "the server hung up in the middle of the answer" if ended else "the server violated HTTP"
    return "the connection was reset" if isinstance(error, LOST) else "the connection failed"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception, its causes, and the members of exception groups, each once."""
    todo, seen = [error], set[int]()
    while todo and len(seen) < _MOST_CAUSES:
        found = todo.pop(0)
        if id(found) in seen:
            continue
        seen.add(id(found))
        yield found
        todo.extend(getattr(found, "exceptions", ()))
        todo.extend(cause for cause in (found.__cause__, found.__context__) if cause is not None)


def in_container() -> bool:
    """Whether this process runs in a container, where 127.0.0.1 is not the machine around it."""
    marks = ("/.dockerenv", "/run/.containerenv")
    return "KUBERNETES_SERVICE_HOST" in os.environ or any(map(os.path.exists, marks))
