"""What servers of which age can do: features and routes by the version that brought them (protocol.md §22)."""

from __future__ import annotations

import re
from dataclasses import dataclass

_SINCE = {
    "chat": "0.1.14",
    "last_message": "0.1.17",  # `message` in the line that says done
    "model_field": "0.1.21",  # before: `name` in pull, push, delete, create
    "keep_alive": "0.1.23",
    "done_reason": "0.1.35",
    "ps": "0.1.38",
    "model_info": "0.1.45",
    "format_or_empty": "0.2.2",
    "embed": "0.2.6",
    "tools": "0.2.6",
    "unload": "0.3.11",
    "schema": "0.5.0",
    "generate_not_found": "0.5.2",
    "create_fields": "0.5.5",
    "show_capabilities": "0.6.4",
    "wrong_method": "0.7.0",
    "streamed_tools": "0.8.0",
    "think": "0.9.0",
    "ps_context": "0.10.0",
    "think_levels": "0.11.0",
    "render_only": "0.11.5",
    "dimensions": "0.11.11",
    "account": "0.12.0",
    "chat_not_found": "0.12.0",
    "signout": "0.12.1",
    "thinks_unasked": "0.12.4",
    "truncate": "0.12.6",
    "early_status": "0.12.6",  # before: an early error of a stream came as a line, with status 200
    "call_ids": "0.12.10",
    "logprobs": "0.12.11",
    "status": "0.16.2",
    "any_level": "0.17.7",  # before: levels for gpt-oss only
    "cloud_names": "0.18.0",
    "level_max": "0.22.0",
    "recommendations": "0.22.1",
    "same_method": "0.24.0",  # a redirected POST stays one
    "native": "0.30.0",  # llama-server: embeddings need a model for them, tags has capabilities, errors are JSON text
}
_ROUTES = {
    "/api/chat": "chat",
    "/api/version": "chat",
    "/api/ps": "ps",
    "/api/embed": "embed",
    "/api/me": "account",
    "/api/signout": "signout",
    "/api/status": "status",
    "/api/experimental/web_search": "cloud_names",
    "/api/experimental/web_fetch": "cloud_names",
    "/api/experimental/model-recommendations": "recommendations",
}


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version.partition("-")[0])[:3])


@dataclass(frozen=True)
class Age:
    """A version, as far as behaviour goes; 0.0.0 is a development build, and so the newest."""

    version: str

    def has(self, feature: str) -> bool:
        """Whether a server of that version can do it."""
        return self.is_at_least(_SINCE[feature])

    def is_at_least(self, version: str) -> bool:
        """Whether it is that version or a later one."""
        own = _numbers(self.version)
        return not any(own) or own >= _numbers(version)

    def serves(self, path: str) -> bool:
        """Whether the route was there; unknown paths are none of its business."""
        return path not in _ROUTES or self.has(_ROUTES[path])
