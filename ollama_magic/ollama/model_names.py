"""The names of models: their grammar, equality and similarity (protocol.md §3)."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ollama_magic.ollama.protocol import ModelSummary, RunningModel

_NAME = re.compile(
    r"([a-z][a-z0-9+.-]*://)?"
    r"(?:(?P<host>[a-z0-9_][a-z0-9_.:-]{0,349})/(?=[^/]+/))?"
    r"(?:(?P<namespace>[a-z0-9_][a-z0-9_-]{0,79})/)?"
    r"(?P<model>[a-z0-9_][a-z0-9_.-]{0,79})"
    r"(?::(?P<tag>[a-z0-9_][a-z0-9_.-]{0,79}))?"
    r"(?P<source>:(?:cloud|local))?"
)
_LIKE = 0.6


def valid_name(name: str) -> bool:
    """Whether this can be the name of a model (protocol.md §3)."""
    return _NAME.fullmatch(name.lower()) is not None


def normal_name(name: str) -> str:
    """Return the normal form of a name, for comparisons only."""
    lowered = name.strip().lower()
    match = _NAME.fullmatch(lowered)
    if not match:
        return lowered
    host, namespace, tag = match["host"], match["namespace"], match["tag"]
    source = match["source"] or ""
    if tag in ("cloud", "local"):
        tag, source = None, f":{tag}"
    if source == ":cloud":
        tag = f"{tag}-cloud" if tag else "cloud"
    shown = [part for part in (_unless(host, "registry.ollama.ai"), _unless(namespace, "library")) if part]
    if host and len(shown) == 1 and shown[0] == host:
        shown.append("library")
    return "/".join([*shown, match["model"]]) + f":{tag or 'latest'}"


def _unless(part: str | None, default: str) -> str | None:
    return None if part == default else part


def same_model(a: str, b: str) -> bool:
    """Whether two names mean the same model; a missing tag is latest, case is ignored."""
    return normal_name(a) == normal_name(b)


def is_cloud(model: str | ModelSummary | RunningModel) -> bool:
    """Whether a model runs in the cloud: by its tag, or because it is a stub of a remote one."""
    if not isinstance(model, str):
        return bool(getattr(model, "remote_host", "")) or is_cloud(model.name)
    tag = normal_name(model).rpartition("/")[2].partition(":")[2]
    return tag == "cloud" or tag.endswith("-cloud")


def nearest(name: str, names: Iterable[str], n: int = 3) -> list[str]:
    """Return up to n of the most similar names, the most similar first."""
    wanted = name.strip().lower()
    whole, bare = (difflib.SequenceMatcher(None, "", text) for text in (wanted, wanted.partition(":")[0]))
    scored = []
    for other in names:
        lowered = other.lower()
        score = max(_likeness(whole, lowered), _likeness(bare, lowered.partition(":")[0]) * 0.98)
        if score >= _LIKE:
            scored.append((-score, other))
    return [other for _, other in sorted(scored)[:n]]


def _likeness(wanted: difflib.SequenceMatcher[str], other: str) -> float:
    """Return the similarity of two texts, 0 if a quick estimate is low: a list may have 10,000 names."""
    wanted.set_seq1(other)
    quick = wanted.real_quick_ratio() >= _LIKE and wanted.quick_ratio() >= _LIKE
    return wanted.ratio() if quick else 0
