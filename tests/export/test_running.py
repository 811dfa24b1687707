"""Every exported program is run: it sends the turn's request, once, and prints the answer."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from ollama_magic.export.languages import exported
from ollama_magic.export.target import Key, Target, target_of
from ollama_magic.foreign import repaired
from ollama_magic.ollama.address import parse_address
from ollama_magic.ollama.messages import Message
from ollama_magic.ollama.protocol import ChatRequest
from ollama_magic.ollama.request_bodies import chat_body
from tests.double import Fault
from tests.export.hostile import TEXTS, mixed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.double import ScriptedServer

ANSWER = [
    'He said: "hi" \\ \\n \\u0041 ',
    "你好 ",
    "😀👩\u200d💻",
    '\n\t{"content": "no"} ',
    "\u2028\u2029 \x7f / </b> end",
]
MESSAGES = tuple(
    Message("assistant" if i % 2 else "user", text) for i, text in enumerate([*TEXTS, *map(mixed, range(60))])
)
REQUEST = ChatRequest("demo", MESSAGES, {"temperature": 0.5, "stop": ['"', "EOF\n"]}, None, "json", "5m")
KEYS = (Key("Authorization", "Bearer ", "OLLAMA_API_KEY"), Key("X-Key", "", "FIRM_KEY"))
SECRETS = {"OLLAMA_API_KEY": "sk-one-two-three", "FIRM_KEY": "four five"}

Run = "Callable[[str, Path, dict[str, str]], subprocess.CompletedProcess[bytes]]"


def _started(command: list[str], folder: Path, environ: dict[str, str], text: bytes = b"", check: bool = True):
    done = subprocess.run(
        command, input=text, capture_output=True, cwd=folder, timeout=60, check=False, env={**os.environ, **environ}
    )
    assert not check or done.returncode == 0, done.stderr.decode()
    return done


def bash(text: str, folder: Path, environ: dict[str, str], check: bool = True):
    if not shutil.which("curl") or not shutil.which("bash"):
        pytest.skip("there is no curl, or no bash")
    done = _started(["bash"], folder, environ, text.encode(), check)
    lines = [json.loads(line) for line in done.stdout.decode().split("\n") if line] if check else []
    done.stdout = ("".join(line["message"]["content"] for line in lines) + "\n").encode()
    return done


def python(text: str, folder: Path, environ: dict[str, str], check: bool = True):
    (folder / "chat.py").write_text(text, encoding="utf8")
    return _started([sys.executable, "chat.py"], folder, {"PYTHONIOENCODING": "utf8", **environ}, check=check)


def httpx(text: str, folder: Path, environ: dict[str, str], check: bool = True):
    """The comment at the end, made the program; the messages stand above it."""
    above, _, below = text.partition("# The same with httpx alone:\n")
    head, _, _ = above.partition("stream = client.chat(")
    return python(head + "\n".join(line[2:] for line in below.splitlines()), folder, environ, check)


def java(text: str, folder: Path, environ: dict[str, str], check: bool = True):
    if not shutil.which("java"):
        pytest.skip("there is no JDK on this machine: the exported Java was not run")
    (folder / "Chat.java").write_text(text, encoding="utf8")
    command = text.partition("`java ")[2].partition("`")[0].split()
    environ = {"LC_ALL": "C", "JAVA_TOOL_OPTIONS": "", **environ}
    return _started(["java", "-XX:TieredStopAtLevel=1", *command], folder, environ, check=check)


PROGRAMS = {"curl": ("curl", bash), "python": ("python", python), "httpx": ("python", httpx), "java": ("java", java)}
ways = pytest.mark.parametrize("way", PROGRAMS)


@ways
def test_a_program_sends_the_turns_request(
    demo_server: Callable[..., ScriptedServer], tmp_path: Path, way: str
) -> None:
    """Running the text sends one request, the turn's own to the last character, and prints the answer alone."""
    server = demo_server(pace=0, answers=lambda _: ANSWER)
    language, run = PROGRAMS[way]
    done = run(exported(language, REQUEST, Target(server.url)), tmp_path, {})
    assert done.stdout.decode() == "".join(ANSWER) + "\n"
    (asked,) = server.requests
    body = json.loads(json.dumps(chat_body(REQUEST)))
    expected = [(message["role"], repaired(message["content"])) for message in body["messages"]]
    assert [(m["role"], m.get("content", "")) for m in asked.json["messages"]] == expected
    assert {name: asked.json[name] for name in body if name != "messages"} == {
        name: value for name, value in body.items() if name != "messages"
    }
    assert set(asked.json) - set(body) <= {"tools"}  # ollama-python sends an empty list of them
    assert not (tmp_path / "pwned").exists()


@ways
def test_keys_come_from_the_environment(demo_server: Callable[..., ScriptedServer], tmp_path: Path, way: str) -> None:
    """No key stands in a program; it sends those that the environment has where it runs."""
    server = demo_server(pace=0)
    language, run = PROGRAMS[way]
    text = exported(language, ChatRequest("demo", (Message("user", "Hi"),)), Target(server.url, KEYS))
    assert not any(value in text for value in SECRETS.values())
    run(text, tmp_path, SECRETS)
    headers = {name.lower(): value for name, value in dict(server.requests[0].headers).items()}
    assert (headers["authorization"], headers["x-key"]) == ("Bearer sk-one-two-three", "four five")


@pytest.mark.parametrize("way", ["python", "httpx", "java"])
def test_a_refusal_is_no_answer(demo_server: Callable[..., ScriptedServer], tmp_path: Path, way: str) -> None:
    """A program prints nothing and fails where the server refuses, and says what it said where it can."""
    server = demo_server(pace=0)
    language, run = PROGRAMS[way]
    text = exported(language, ChatRequest("nosuch", (Message("user", "Hi"),)), Target(server.url))
    done = run(text, tmp_path, {}, check=False)
    assert done.returncode != 0
    assert done.stdout.strip() == b""
    assert b"not found" in done.stderr.lower()


def test_java_tells_an_error_in_mid_stream(demo_server: Callable[..., ScriptedServer], tmp_path: Path) -> None:
    """A Java program whose answer breaks off with an error says so and fails."""
    server = demo_server(pace=0, faults=[Fault("error_line", after=2, error="boom")])
    done = java(
        exported("java", ChatRequest("demo", (Message("user", "Hello"),)), Target(server.url)), tmp_path, {}, False
    )
    assert done.returncode == 1
    assert b"boom" in done.stderr


def test_a_long_conversation_compiles(demo_server: Callable[..., ScriptedServer], tmp_path: Path) -> None:
    """A text beyond the 65,535 bytes that a constant of Java may have is still one program, and arrives whole."""
    server = demo_server(pace=0, answers=lambda _: ["ok"])
    long = "".join(mixed(seed, 400) for seed in range(100)) + "😀" * 30_000
    done = java(exported("java", ChatRequest("demo", (Message("user", long),)), Target(server.url)), tmp_path, {})
    assert done.stdout == b"ok\n"
    assert server.requests[0].json["messages"][0]["content"] == repaired(long)


@ways
def test_no_proxy_lies_before_this_machine(
    demo_server: Callable[..., ScriptedServer], tmp_path: Path, way: str
) -> None:
    """Where a proxy is set, a program still reaches a server on this machine directly."""
    server = demo_server(pace=0, answers=lambda _: ["direct"])
    proxied = dict.fromkeys(["http_proxy", "HTTP_PROXY", "all_proxy"], "http://127.0.0.1:9")
    target = target_of(parse_address(server.url), proxied, {}, "")
    language, run = PROGRAMS[way]
    done = run(exported(language, ChatRequest("demo", (Message("user", "Hi"),)), target), tmp_path, proxied)
    assert done.stdout == b"direct\n"


@pytest.mark.parametrize("language", ["curl", "python", "java"])
def test_a_firms_certificate_goes_along(language: str) -> None:
    """A program for a server with a certificate of its own names it; with plain HTTP it does not."""
    request = ChatRequest("demo", (Message("user", "Hi"),))
    secure, plain = (
        exported(language, request, target_of(parse_address(host), {}, {}, "it's ca.pem"))
        for host in ("https://example.com", "http://example.com")
    )
    named = {"curl": "'it'\"'\"'s ca.pem'", "python": 'cafile="it\'s ca.pem"', "java": "trustStore"}[language]
    assert named in secure
    assert named not in plain


@ways
def test_a_schema_travels_in_a_program(demo_server: Callable[..., ScriptedServer], tmp_path: Path, way: str) -> None:
    """The JSON Schema of a typed turn is sent by the program to the last character of its descriptions."""
    server = demo_server(pace=0, answers=lambda _: ["[]"])
    language, run = PROGRAMS[way]
    fields = {f"n{number}": {"type": "string", "description": text} for number, text in enumerate(TEXTS)}
    schema = {"type": "array", "items": {"$ref": "#/$defs/a"}, "$defs": {"a": {"properties": fields, "minimum": 0.5}}}
    schema = json.loads(repaired(json.dumps(schema, ensure_ascii=False)))
    request = ChatRequest("demo", (Message("user", "Hi"),), {}, None, schema)
    run(exported(language, request, Target(server.url)), tmp_path, {})
    assert server.requests[0].json["format"] == schema
    assert not (tmp_path / "pwned").exists()
