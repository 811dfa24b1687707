"""A map in a process that may be killed: it prints each row as it is acknowledged.

Run as `python -m tests.mapping.killed CACHE ROWS`, with OLLAMA_HOST set.
"""

from __future__ import annotations

import sys

import ollama_magic

if __name__ == "__main__":
    for row in ollama_magic.map("{{text}}", range(int(sys.argv[2])), cache=sys.argv[1]):
        print(row.index, row.state, flush=True)
    print("end", flush=True)
