"""A request as a Python program with the `ollama` library, and in a comment with httpx alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollama_magic.export.literals import python_literal
from ollama_magic.ollama.request_bodies import chat_body

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ollama_magic.export.target import Target
    from ollama_magic.ollama.protocol import ChatRequest

_HTTPX = """\
The same with httpx alone:

import json

import httpx

body = {{{fields}}}
with httpx.stream("POST", {url}, json=body, timeout=None{more}) as response:
    response.raise_for_status()
    rest = b""
    for data in response.iter_bytes():
        *lines, rest = (rest + data).split(b"\\n")
        for line in lines:
            print(json.loads(line)["message"]["content"], end="", flush=True)
print()
"""


def python(request: ChatRequest, target: Target) -> str:
    """Return the request as Python; running it sends one request."""
    body: dict[str, object] = chat_body(request)
    messages = [f"    {python_literal(message)},\n" for message in _messages(body)]
    return (
        f"{client_lines(target)}\n"
        f"messages = [\n{''.join(messages)}]\n"
        f"stream = client.chat(\n    model={python_literal(request.model)},\n    messages=messages,\n"
        f"{settings_of_body(body)}    stream=True,\n)\n"
        'for chunk in stream:\n    print(chunk.message.content or "", end="", flush=True)\nprint()\n\n'
        + _commented(_with_httpx(request, _arguments(body), target))
    )


def client_lines(target: Target) -> str:
    """Return the notes, the imports, and the line that makes the client."""
    return (
        "".join(f"# {note}\n" for note in target.notes)
        + "".join(f"import {name}\n" for name in _imports(target))
        + ("\n" if _imports(target) else "")
        + "from ollama import Client  # pip install ollama\n\n"
        + f"client = Client(host={python_literal(target.base)}{_more(target)})"
    )


def settings_of_body(body: dict[str, object]) -> str:
    """Return the arguments of a call for everything but model and messages, a line each."""
    return "".join(f"    {name}={python_literal(value)},\n" for name, value in _arguments(body).items())


def _arguments(body: dict[str, object]) -> dict[str, object]:
    left_out = ("model", "messages", "stream")
    return {name: value for name, value in body.items() if name not in left_out and value is not None}


def _with_httpx(request: ChatRequest, arguments: dict[str, object], target: Target) -> str:
    fields = [f'"model": {python_literal(request.model)}', '"messages": messages']
    fields += [
        f"{python_literal(name)}: {python_literal(value)}" for name, value in {**arguments, "stream": True}.items()
    ]
    return _HTTPX.format(fields=", ".join(fields), url=python_literal(target.url), more=_more(target))


def _messages(body: dict[str, object]) -> Iterable[object]:
    messages = body["messages"]
    return messages if isinstance(messages, list) else ()


def _imports(target: Target) -> list[str]:
    return [name for name, needed in (("os", target.keys), ("ssl", target.ca_file)) if needed]


def _more(target: Target) -> str:
    """Return the further arguments of either client, each with a comma before it."""
    keys = ", ".join(f"{python_literal(key.header)}: {_value(key.before, key.variable)}" for key in target.keys)
    verify = f"ssl.create_default_context(cafile={python_literal(target.ca_file)})"
    arguments = {
        "headers": f"{{{keys}}}" if keys else "",
        "verify": verify if target.ca_file else "",
        "trust_env": "False" if target.direct else "",  # a proxy is not used for this machine
    }
    return "".join(f", {name}={value}" for name, value in arguments.items() if value)


def _value(before: str, variable: str) -> str:
    found = f"os.environ[{python_literal(variable)}]"
    return f"{python_literal(before)} + {found}" if before else found


def _commented(text: str) -> str:
    return "\n".join(f"# {line}".rstrip() for line in text.rstrip("\n").split("\n"))
