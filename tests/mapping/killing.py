"""Kills maps at random moments, and counts what was lost and what was asked twice."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.examples import ROOT

if TYPE_CHECKING:
    from tests.mapping.quick_server import QuickServer


def killed_map(server: QuickServer, cache: str, rows: int, after: int | None) -> set[str]:
    """Run the map, killed when so many rows were acknowledged, or to its end; return the acknowledged prompts."""
    command = [sys.executable, "-m", "tests.mapping.killed", cache, str(rows)]
    environment = {**os.environ, "OLLAMA_HOST": server.url, "PYTHONPATH": str(ROOT)}
    acknowledged = set[str]()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("end"):
                break
            acknowledged.add(line.split()[0])
            if after is not None and len(acknowledged) >= after:
                process.kill()
                acknowledged |= {line.split()[0] for line in process.stdout.read().splitlines() if " " in line}
                break
    return acknowledged


def kill_and_go_on(server: QuickServer, cache: str, rows: int, times: int) -> tuple[set[str], list[str]]:
    """Kill a map so often at random moments, then let it end.

    Returns:
        The rows that were never answered, and the acknowledged ones that were asked once more.
    """
    known, twice = set[str](), list[str]()
    for _ in range(times):
        before = dict(server.asked)
        found = killed_map(server, cache, rows, len(known) + random.randint(1, max(1, rows // times)))
        twice += [text for text in known if server.asked[text] > before.get(text, 0)]
        known |= found
    before = dict(server.asked)
    known_before, known = set(known), known | killed_map(server, cache, rows, None)
    twice += [text for text in known_before if server.asked[text] > before.get(text, 0)]
    return {str(number) for number in range(rows)} - known, twice
