"""Where a model runs, as its name says it (protocol.md §3)."""

from __future__ import annotations


def source_of(text: str) -> str:
    """Where a model runs: `cloud`, `local`, `both` (an error) or nothing said."""
    suffixes = text.rpartition("/")[2].split(":")[1:]
    cloud = any(part == "cloud" or part.endswith("-cloud") for part in suffixes)
    local = "local" in suffixes
    return "both" if cloud and local else "cloud" if cloud else "local" if local else ""
