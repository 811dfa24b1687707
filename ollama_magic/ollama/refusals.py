"""Refusals as one readable line: an error status, a web page, a proxy between this machine and Ollama."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from ollama_magic.errors import ModelNotFound, ServerError
from ollama_magic.foreign import one_line
from ollama_magic.ollama.server_errors import error_of, kind_of, read_object, with_cure
from ollama_magic.ollama.versions import ROUTES, older

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ollama_magic.errors import OllamaMagicError
    from ollama_magic.ollama.address import Address

_NO_ROUTE = (404, 405)
_LISTINGS = {"/api/version": "version", "/api/tags": "models", "/api/ps": "models"}  # what each always has
_API_PATH = re.compile(r"/(v1|api)(/.*)?$")
_HEADERS = '`OllamaMagic.headers = {"Authorization": "env:NAME"}`'
# Ollama itself refuses in JSON; these statuses without it are a proxy's.
_PROXY_STATUSES = {408, 413, 429, 502, 503, 504, *range(520, 531)}  # 520 and up are Cloudflare's
_PROXY_LINES = {
    401: f"it requires a name and a password; {_HEADERS} sends what the environment variable NAME holds, "
    "such as «Basic …»",
    403: f"it forbids this request; if it requires authentication, {_HEADERS} sends what the variable NAME holds",
    407: "it requires a name and a password of its own; put them into its address, http://NAME:PASSWORD@HOST:PORT",
    408: "it gave up waiting; run this again",
    413: "it accepts no request of this size; shorten the prompt, or raise its limit (nginx: client_max_body_size)",
    429: "it has had too many requests; wait a while, then run this again",
    502: "it does not reach Ollama behind it; check whether Ollama runs there",
    503: "Ollama behind it is not available; check whether it runs there, and run this again in a moment",
    504: "it gave up waiting for Ollama; the model may still be loading: run this again, "
    "or raise the proxy's read timeout",
}
_PROXY_LINES |= {521: _PROXY_LINES[502], 522: _PROXY_LINES[502], 523: _PROXY_LINES[502], 524: _PROXY_LINES[504]}


@dataclass(frozen=True)
class Refusal:
    """A reply that is not an answer: an error status, or a web page instead of JSON.

    `authenticate` is the header WWW-Authenticate, `proxy_variable` the environment variable that names the proxy.
    """

    address: Address
    path: str
    status: int
    content_type: str = ""
    location: str = ""
    authenticate: str = ""
    body: str = ""
    version: str = ""
    proxy_variable: str = ""

    @property
    def no_route(self) -> bool:
        """Whether an old server, or another program, answers like this to an unknown path."""
        return self.status in _NO_ROUTE and not self._words and not self._html

    def error(self) -> OllamaMagicError:
        """Return the error, one line with what to do next."""
        words, url = self._words, self.address.url
        if self.status == HTTPStatus.NOT_FOUND and "model" in words and kind_of(words) == "model_missing":
            return ModelNotFound(f"{url} says: {words}; `%ollama list` shows the models there.")
        return ServerError(self._line(words), self.status, kind_of(words))

    @property
    def _words(self) -> str:
        return error_of(read_object(self.body) or {})

    @property
    def _of_ollama(self) -> bool:
        """Whether this is an error object of Ollama's shape; gateways in front of it have others."""
        found = read_object(self.body)
        return found is not None and bool(self._words) and ("error" in found or self.status in _NO_ROUTE)

    @property
    def _html(self) -> bool:
        return "html" in self.content_type or self.body.lstrip()[:9].lower().startswith(("<!doctype", "<html"))

    @property
    def _of_a_proxy(self) -> bool:
        if self._of_ollama:
            return False
        if self.status in _PROXY_STATUSES or self.status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
            return True
        wants_password = self.status == HTTPStatus.UNAUTHORIZED and not self.authenticate.lower().startswith("bearer")
        if wants_password and self.authenticate:
            return True
        if self._html:
            return self.status >= 400 and self.status not in _NO_ROUTE
        refused = self.status == HTTPStatus.FORBIDDEN or wants_password
        return refused and bool(self.body.strip())

    def _line(self, words: str) -> str:
        url = self.address.url
        if 300 <= self.status < 400:
            return self._redirect(one_line(self.location, 200))
        if self.status in _NO_ROUTE and _API_PATH.search(self.address.path):
            return self._api_path()
        if self._of_a_proxy:
            return self._proxy_line()
        if not words and self._html:
            return f"{url} is not Ollama: it answered with a web page ({self.status}); check the host and the port."
        if self.status == HTTPStatus.UNAUTHORIZED:
            return self._sign_in(words)
        return self._with_words(words) if words else self._without_words()

    def _redirect(self, location: str) -> str:
        url = self.address.url
        if location.startswith(("https://", "http://")):
            return f"{url} redirects to {location}, which is not followed; set the host to it if it is right."
        return f"{url} redirects ({location or 'without a location'}); check the host, the port and the path."

    def _api_path(self) -> str:
        """Explain an address that ends in the path of an API, like those of other clients."""
        address = self.address
        found = _API_PATH.search(address.path)
        assert found is not None
        shorter = replace(address, path=address.path[: found.start()]).url
        return (
            f"{address.url} has no {self.path} ({self.status}): leave out {found[0]} at the end of the address, "
            f"write {shorter}."
        )

    def _proxy_line(self) -> str:
        text = "" if self._html else self._words or one_line(self.body[:400], 80)
        what = f"answered{' with a web page' if self._html else ''} ({self.status}{f': {text}' if text else ''})"
        failed = "it failed" if self.status >= 500 else "it refused this request"
        does = _PROXY_LINES.get(self.status, f"{failed}; check its log")
        if not self.proxy_variable:
            return f"The proxy before {self.address.url} {what}: {does}."
        proxy = f"The proxy that {self.proxy_variable} names"
        return f"{proxy} {what}: {does}; or add {self.address.host} to NO_PROXY."

    def _sign_in(self, words: str) -> str:
        place = (read_object(self.body) or {}).get("signin_url")
        if isinstance(place, str) and place.startswith(("https://", "http://")):
            open_it = f"open {one_line(place, 600)} in a browser, then run this again"
            return f"{self.address.url} requires you to sign in: {open_it}."
        return f"{self.address.url} refused the key ({words or 'unauthorized'}); put a valid one into OLLAMA_API_KEY."

    def _with_words(self, words: str) -> str:
        url = self.address.url
        if self.status == HTTPStatus.SERVICE_UNAVAILABLE:
            return f"{url} is busy ({words}); run this again in a moment."
        if self.status == HTTPStatus.TOO_MANY_REQUESTS:
            return f"{url} has had too many requests ({words}); wait a while, then run this again."
        return f"{url} {self._verb} ({self.status}): {with_cure(words)}."

    def _without_words(self) -> str:
        url, text = self.address.url, one_line(self.body[:400], 120).strip()
        if "HTTP request to an HTTPS server" in text:
            return f"{url} speaks TLS; write https:// in front of it."
        if self.status == HTTPStatus.FORBIDDEN and not text:
            return (
                f"{url} refused Host or Origin (403, without a reason): it accepts only names of its own machine; "
                "use its IP address, or start it with OLLAMA_HOST=0.0.0.0."
            )
        if self.status in _NO_ROUTE and self.version:
            return self._too_old()
        if self.status == HTTPStatus.NOT_FOUND:
            return (
                f"{url} has no {self.path} (404): a very old Ollama, a wrong path in the address, or another program."
            )
        return f"{url} {self._verb} ({self.status}{': ' + text if text else ', without a reason'})."

    @property
    def _verb(self) -> str:
        return "failed" if self.status >= 500 else "refused this"

    def _too_old(self) -> str:
        doing, since = ROUTES.get(self.path, ("do that", ""))
        cannot = f"Ollama {self.version} at {self.address.url} cannot {doing}"
        if older(self.version, since):
            return f"{cannot}; update it: {since} and newer can."
        return f"{cannot}: it has no {self.path} ({self.status}); update it, or check the proxy in front of it."


def is_refused(path: str, value: Mapping[str, object]) -> bool:
    """Whether an answer with status 200 holds an error, or something else than a listing of Ollama's."""
    return bool(value.get("error")) or (bool(value) and _LISTINGS.get(path, "") not in {"", *value})


def refused_in_json(address: Address, path: str, words: str) -> ServerError:
    """Return the error for an answer with status 200 that contains an error; Ollama's own listings never do."""
    if path in _LISTINGS and not words:
        line = f"{address.url} is not Ollama: its answer to {path} has no {_LISTINGS[path]}; check the port."
    elif path in _LISTINGS:
        line = f"{address.url} is not Ollama: to {path} it says: {words.rstrip('.')}; check the host and the port."
    else:
        line = f"{address.url} failed: {with_cure(words or 'an error without words')}."
    return ServerError(line, HTTPStatus.OK, kind_of(words))
