"""Names of models: their parts, the default tag, the form that is shown (protocol.md §3)."""

from __future__ import annotations

import re
from dataclasses import dataclass

_HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,349}")
_NAMESPACE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,79}")
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}")


@dataclass(frozen=True)
class ModelReference:
    """A name with all its parts, defaults filled in."""

    host: str
    namespace: str
    model: str
    tag: str

    @property
    def shown(self) -> str:
        """As tags and ps show it: default host and namespace left out, the tag always there."""
        front = "" if self.host == "registry.ollama.ai" else f"{self.host}/{self.namespace}/"
        if not front and self.namespace != "library":
            front = f"{self.namespace}/"
        return f"{front}{self.model}:{self.tag}"

    @property
    def full(self) -> str:
        """With every part, as a few error texts say it."""
        return f"{self.host}/{self.namespace}/{self.model}:{self.tag}"

    @property
    def key(self) -> str:
        """Names that differ in case only are one model."""
        return self.full.lower()


def read_reference(text: str) -> ModelReference | None:
    """The parsed name, or None if it is malformed."""
    rest = text.partition("://")[2] if "://" in text else text
    if rest.count("/") > 2 or not all(rest.split("/")):
        return None
    front, _, last = rest.rpartition("/")
    model, colon, tag = last.partition(":")
    host, _, namespace = front.rpartition("/")
    name = ModelReference(host or "registry.ollama.ai", namespace or "library", model, tag if colon else "latest")
    return name if _valid(name) else None


def _valid(name: ModelReference) -> bool:
    patterns = ((_HOST, name.host), (_NAMESPACE, name.namespace), (_PART, name.model), (_PART, name.tag))
    return all(pattern.fullmatch(part) for pattern, part in patterns)
