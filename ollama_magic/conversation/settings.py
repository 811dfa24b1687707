"""The settings of a session, as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Settings:
    """The settings from traits and environment; `limits` are fields of `Limits`, in seconds and bytes."""

    host: str = ""
    ca_file: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    limits: Mapping[str, Any] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=dict)
    model: str = ""
    system: str = ""
    options: Mapping[str, object] = field(default_factory=dict)
    think: bool | str | None = None
    keep_alive: float | str = ""
    turns: int | None = None
    tool_rounds: int = 10
    image_side: int = 1536
    attach_chars: int = 32_000
