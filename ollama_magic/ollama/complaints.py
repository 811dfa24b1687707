"""What a server complains of, in one readable line: error objects of odd shapes, and HTTP statuses."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from ollama_magic.errors import ModelNotFound, ServerError
from ollama_magic.foreign import one_line
from ollama_magic.ollama.versions import ROUTES, older

if TYPE_CHECKING:
    from ollama_magic.errors import OllamaMagicError

_WORDS = ("error", "errors", "message", "detail", "Status", "title")  # errors: of a registry, in a list
_DEPTH = 6
_NO_ROUTE = (404, 405)


def error_of(value: object) -> str:
    """Return the words of a JSON error object, unwrapped from what nests them (dossier §2, §13); "" if it has none."""
    return one_line(_words(value, _DEPTH)).strip()


def _words(value: object, depth: int) -> str:
    if isinstance(value, dict) and depth:
        found = (_words(value.get(name), depth - 1) for name in _WORDS)
        return next(filter(None, found), "")
    if isinstance(value, list) and value and depth:
        return _words(value[0], depth - 1)
    if isinstance(value, str):
        return _unwrapped(value.strip(), depth)
    return "" if value is None or isinstance(value, bool | dict | list) else str(value)[:40]


def _unwrapped(text: str, depth: int) -> str:
    """From v0.30 on a runner's own JSON may stand inside the string, perhaps behind some words of the server."""
    start = text.find("{")
    if start < 0 or not depth:
        return text
    try:
        inner = _words(json.loads(text[start:]), depth - 1)
    except (ValueError, RecursionError):
        return text
    return f"{text[:start]}{inner}" if inner else text


def read_object(body: str) -> dict[str, object] | None:
    """Return the JSON object that a body holds, None if it is anything else."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


@dataclass(frozen=True)
class Refusal:
    """A reply that is no answer: a status that is not 200, or a web page where JSON was due."""

    url: str
    path: str
    status: int
    content_type: str = ""
    location: str = ""
    body: str = ""
    version: str = ""

    @property
    def no_route(self) -> bool:
        """Whether this is how an old server, or none of Ollama's, answers to a path that it does not know."""
        told = error_of(read_object(self.body)) or "html" in self.content_type
        return self.status in _NO_ROUTE and not told

    def error(self) -> OllamaMagicError:
        """Return the one line for it, with what to do next."""
        value = read_object(self.body) or {}
        words = error_of(value)
        if self.status == HTTPStatus.NOT_FOUND and "model" in words and "not found" in words:
            return ModelNotFound(f"{self.url} says: {words}; `%ollama list` shows the models there.")
        return ServerError(self._line(value, words), self.status)

    def _line(self, value: dict[str, object], words: str) -> str:
        if 300 <= self.status < 400:
            return self._redirect(one_line(self.location, 200))
        if not words and "html" in self.content_type:
            return (
                f"{self.url} is not Ollama: it answered with a web page ({self.status}); look at the host and the port."
            )
        if self.status == HTTPStatus.UNAUTHORIZED:
            return self._sign_in(value.get("signin_url"), words)
        if words:
            return self._with_words(words)
        return self._without_words()

    def _redirect(self, where: str) -> str:
        if where.startswith(("https://", "http://")):
            return f"{self.url} points elsewhere, to {where}; that is not followed; set the host to it if it is right."
        return (
            f"{self.url} points elsewhere ({where or 'without saying where'}); look at the host, the port and the path."
        )

    def _sign_in(self, place: object, words: str) -> str:
        if isinstance(place, str) and place.startswith(("https://", "http://")):
            return f"{self.url} wants you signed in: open {one_line(place, 600)} in a browser, then run this again."
        return f"{self.url} refused the key ({words or 'unauthorized'}); put a valid one into OLLAMA_API_KEY."

    def _with_words(self, words: str) -> str:
        if self.status == HTTPStatus.SERVICE_UNAVAILABLE:
            return f"{self.url} is busy ({words}); run this again in a moment."
        if self.status == HTTPStatus.TOO_MANY_REQUESTS:
            return f"{self.url} has had too many requests ({words}); wait a while, then run this again."
        verb = "failed" if self.status >= 500 else "refused this"
        return f"{self.url} {verb} ({self.status}): {words.rstrip('.')}{cure_for(words)}."

    def _without_words(self) -> str:
        text = one_line(self.body[:400], 120).strip()
        if "HTTP request to an HTTPS server" in text:
            return f"{self.url} speaks TLS; write https:// in front of it."
        if self.status == HTTPStatus.FORBIDDEN and not text:
            return (
                f"{self.url} refused Host or Origin (403, without a reason): it takes only names of its own machine; "
                "use its IP address, or start it with OLLAMA_HOST=0.0.0.0."
            )
        if self.status in _NO_ROUTE and self.version:
            return self._too_old()
        if self.status == HTTPStatus.NOT_FOUND:
            return (
                f"{self.url} has no {self.path} (404): a very old Ollama, a wrong path in the address, or none at all."
            )
        if self.status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
            return f"The proxy before {self.url} wants a name and password (407)."
        verb = "failed" if self.status >= 500 else "refused this"
        return f"{self.url} {verb} ({self.status}{': ' + text if text else ', without a reason'})."

    def _too_old(self) -> str:
        doing, since = ROUTES.get(self.path, ("do that", ""))
        cannot = f"Ollama {self.version} at {self.url} cannot {doing}"
        if older(self.version, since):
            return f"{cannot}; update it: {since} and newer can."
        return f"{cannot}: it has no {self.path} ({self.status}); update it, or look at what stands before it."


_CURES = (
    (r"does not support embeddings", "; name a model for embeddings, such as nomic-embed-text"),
    (r"does not support insert", "; leave out --suffix, or name a model for code that can fill in"),
    (r"raw mode does not support", "; leave out --system and --template, or --raw"),
    (r"does not support thinking|think value", "; leave out --think"),
    (r"context (size|length|window)", "; shorten the prompt, or give it more room with -o num_ctx={room}"),
    (r"(more system memory|out-of-memory|out of memory)", "; a smaller model or -o num_ctx=2048 needs less"),
    (r"no space left", "; the server's disk is full: `%ollama rm` removes a model"),
    (r"manifest: file does not exist", "; the registry has no such model or tag: look at its spelling"),
    (r"requires a newer version|manifest: 412", "; update Ollama on the server"),
    (r"[Mm]odelfile are required", "; update Ollama on the server: 0.5.5 and newer make models from a request"),
    (r"https?://[^ ]*/v2/.*(dial|lookup|timeout|proxy|tls|x509)", "; the server does not reach the registry"),
    (r"max retries exceeded", "; the network between the server and the registry fails: run this again"),
    (r"digest mismatch|unexpected EOF", "; run this again"),
    (r"^(?!.*llama-).*not found", "; `%ollama list` shows the models there"),
)
_TOKENS = re.compile(r"(\d{1,9}) tokens")


def cure_for(words: str) -> str:
    """Return what to do about a server's complaint, as the rest of its sentence, or ""."""
    cure = next((cure for pattern, cure in _CURES if re.search(pattern, words)), "")
    return cure.format(room=_room_for(words))


def _room_for(words: str) -> int:
    """Return a window in which a prompt has room that the words give the size of, and its answer too."""
    tokens = max(map(int, _TOKENS.findall(words)), default=0)
    return max(8192, 1 << (tokens + tokens // 4).bit_length())
