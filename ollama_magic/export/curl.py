"""A request as a curl command for bash."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from ollama_magic.export.literals import json_body
from ollama_magic.ollama.request_bodies import chat_body

if TYPE_CHECKING:
    from ollama_magic.export.target import Key, Target
    from ollama_magic.ollama.protocol import ChatRequest

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PLAIN = re.compile(r"[A-Za-z0-9-]+")


def curl(request: ChatRequest, target: Target) -> str:
    r"""Return the request as a bash command; the body is a here-document, in which nothing is expanded.

    No line of it can be its end mark, because a line break within a text is written as `\n`.
    """
    arguments = [
        f"curl --no-buffer {shlex.quote(target.url)}",
        *(["--globoff"] if set("{}[]") & set(target.url) else []),
        *(["--noproxy '*'"] if target.direct else []),
        *([f"--cacert {shlex.quote(target.ca_file)}"] if target.ca_file else []),
        "-H 'Content-Type: application/json'",
        *(f"-H {_header(key)}" for key in target.keys),
        "-d @- <<'EOF'",
    ]
    notes = "".join(f"# {note}\n" for note in target.notes)
    command = " \\\n  ".join(arguments)
    return f"{notes}{command}\n{json_body(chat_body(request))}\nEOF"


def _header(key: Key) -> str:
    value = f"${key.variable}" if _VARIABLE.fullmatch(key.variable) else f"$(printenv {shlex.quote(key.variable)})"
    if _PLAIN.fullmatch(key.header):
        return f'"{key.header}: {key.before}{value}"'
    return f'{shlex.quote(f"{key.header}: {key.before}")}"{value}"'
