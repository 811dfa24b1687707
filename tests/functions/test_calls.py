"""The functions that remember nothing, in a script: no shell, no extension."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import ollama
import pytest

import ollama_magic
from ollama_magic.errors import AnswerCut, InputError, ModelNotFound, ServerError, ServerUnreachable
from ollama_magic.ollama.messages import Message
from tests.answers import chats, sent
from tests.double import CODE, DEMO, EMBEDDING, PLAIN, Fault


def test_chat_gives_a_whole_reply(start) -> None:
    """A text is asked, and the reply has the answer, its state, its counts and its messages."""
    server = start(answers=lambda _: ["Hi ", "there"])
    reply = ollama_magic.chat("Hello", system="Be brief.")
    assert (reply.text, reply.state, reply.model) == ("Hi there", "complete", "demo:latest")
    assert reply.stats.answer_tokens > 0
    assert sent(chats(server)[0]) == [("system", "Be brief."), ("user", "Hello")]
    assert reply.messages[-1] == {"role": "assistant", "content": "Hi there"}


@pytest.mark.parametrize(
    "message",
    [
        {"role": "user", "content": "one"},
        ollama.Message(role="user", content="one"),
        Message("user", "one"),
        ollama.Message(role="user", content="one").model_dump(),
    ],
    ids=["dict", "ollama", "ours", "dumped"],
)
def test_messages_in_the_shape_of_ollama_python(start, message) -> None:
    """Messages are dicts, ollama-python's own or ours, and what comes back can be sent by either."""
    server = start(answers=lambda _: ["two"])
    reply = ollama_magic.chat([message])
    ollama_magic.chat([*reply.messages, {"role": "user", "content": "three"}])
    assert sent(chats(server)[1]) == [("user", "one"), ("assistant", "two"), ("user", "three")]
    client = ollama.Client(server.url)
    answer = client.chat("demo", reply.messages)
    client._client.close()
    assert ollama_magic.chat([*reply.messages, answer.message, message]).text == "two"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], "no message"),
        ("  ", "empty"),
        (7, "Messages are a text"),
        ({"role": "user", "content": "x"}, "Messages are a text"),
        ([{"role": "user", "content": ["x"]}], "Message 1 needs"),
        ([{"content": "x"}], "Message 1 needs"),
        ([{"role": "user", "content": "x", "images": ["abc"]}], "Message 1 has an image that is no path"),
    ],
)
def test_messages_that_cannot_be_sent(start, given, said) -> None:
    """What is no list of messages is refused in one line before anything is sent."""
    server = start()
    with pytest.raises(InputError, match=said):
        ollama_magic.chat(given)
    assert not server.requests


def test_the_request_is_as_it_was_asked_for(start) -> None:
    """Model, options, thinking, format and keep-alive reach the server; ollama-python's Options do too."""
    server = start(models=[DEMO, PLAIN])
    options = ollama.Options(temperature=0.5, seed=7)
    ollama_magic.chat("Hi", model="demo", options=options, think=True, format="json", keep_alive="5m")
    body = chats(server)[0].json
    assert (body["model"], body["options"], body["think"]) == ("demo", {"temperature": 0.5, "seed": 7}, True)
    assert (body["format"], body["keep_alive"]) == ("json", "5m")


@pytest.mark.parametrize("options", [{"temprature": 1}, {"seed": "x"}, {"seed": object()}, [1]])
def test_options_are_checked(start, options) -> None:
    """An option that servers do not know, or of a wrong type, is refused instead of being ignored."""
    server = start()
    with pytest.raises(InputError):
        ollama_magic.chat("Hi", options=options)
    assert not chats(server)


def test_json_is_read(start) -> None:
    """The reply's json() reads a structured answer."""
    start(answers=lambda _: ['{"a": ', "1}"])
    assert ollama_magic.chat("Hi", format="json").json() == {"a": 1}


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault("error_line", after=1, error="boom"), ServerError),
        (Fault("no_done", after=1), AnswerCut),
        (Fault("close", after=1), AnswerCut),
        (Fault("error_first", status=500, error="boom"), ServerError),
    ],
    ids=["error line", "end", "close", "first"],
)
def test_only_a_whole_answer_returns(start, fault, error) -> None:
    """An answer that breaks off, or is refused, raises one line, and its reply says how it ended."""
    start(faults=[fault])
    answer = ollama_magic.stream("Hello")
    with pytest.raises(error) as caught:
        answer.whole()
    assert "\n" not in str(caught.value)
    assert answer.reply.state == ("cut" if error is AnswerCut else "failed")
    assert answer.reply.error is caught.value


def test_what_is_missing_is_said(start, monkeypatch) -> None:
    """An unknown model, an embedding model and a server that is not there are told in one line each."""
    start(models=[DEMO, EMBEDDING])
    with pytest.raises(ModelNotFound, match="demo"):
        ollama_magic.chat("Hi", model="demp")
    with pytest.raises(InputError):
        ollama_magic.chat("Hi", model="demo-embed")
    with pytest.raises(ServerUnreachable):
        ollama_magic.chat("Hi", host="127.0.0.1:9")
    monkeypatch.setenv("OLLAMA_HOST", "http://a b")
    with pytest.raises(InputError):
        ollama_magic.chat("Hi")


def test_a_host_for_one_call(start, demo_server, monkeypatch) -> None:
    """`host` asks another server for one call, and the key of the first one stays away from it."""
    monkeypatch.setenv("OLLAMA_API_KEY", "sk-secret-key")
    first, second = start(), demo_server(pace=0)
    ollama_magic.chat("Hi", host=second.url)
    assert not first.requests
    assert not any("authorization" in {name.lower() for name in dict(r.headers)} for r in second.requests)
    ollama_magic.chat("Hi")
    assert dict(chats(first)[0].headers)["authorization"] == "Bearer sk-secret-key"


def test_generate_is_a_single_turn(start) -> None:
    """A prompt goes to /api/generate with its system text, and the answer comes whole."""
    server = start()
    reply = ollama_magic.generate("Hello", system="Be brief.")
    assert reply.state == "complete"
    assert reply.text
    (asked,) = [request.json for request in server.requests if request.path == "/api/generate"]
    assert (asked["prompt"], asked["system"]) == ("Hello", "Be brief.")
    with pytest.raises(InputError):
        ollama_magic.generate("")


def test_generate_fills_a_gap(start) -> None:
    """A suffix goes along to a model that fills in, and is refused where the model cannot."""
    server = start(models=[DEMO, CODE])
    assert ollama_magic.generate("def one():", model="demo-code", suffix="return 1").state == "complete"
    assert server.requests[-1].json["suffix"] == "return 1"
    with pytest.raises(InputError):
        ollama_magic.generate("def one():", model="demo", suffix="return 1")


def test_embed_gives_vectors(start) -> None:
    """One text or several become one vector each; without a model the one that is made for it answers."""
    start(models=[DEMO, EMBEDDING])
    found = ollama_magic.embed(["one", "two"])
    assert len(found.vectors) == 2
    assert ollama_magic.embed("one", model="demo-embed").vectors == found.vectors[:1]
    with pytest.raises(InputError):
        ollama_magic.embed([1])


def test_looking_at_the_server(start) -> None:
    """list, show and ps say what is installed, what a model can do and what is loaded."""
    start(models=[DEMO, PLAIN])
    assert [model.name for model in ollama_magic.list()] == ["demo:latest", "demo-plain:latest"]
    assert "completion" in ollama_magic.show("demo").capabilities
    assert ollama_magic.ps() == []
    ollama_magic.chat("Hi", model="demo")
    assert [model.name for model in ollama_magic.ps()] == ["demo:latest"]
    with pytest.raises(ModelNotFound):
        ollama_magic.show("demp")


def test_in_threads(start) -> None:
    """Many threads ask at once, and each gets its own answer."""
    start(answers=lambda body: [body["messages"][-1]["content"].upper()])
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda text: ollama_magic.chat(text).text, "abcdefgh")) == list("ABCDEFGH")


def test_a_script_needs_no_ipython(start) -> None:
    """A script asks, streams, and ends by itself; IPython is not imported for it, nor is anything left to warn of."""
    start(answers=lambda _: ["one ", "two"])
    code = (
        "import asyncio, sys, ollama_magic\n"
        "print(ollama_magic.chat('Hi').text, *ollama_magic.stream('Hi'))\n"
        "async def main():\n    print([chunk async for chunk in ollama_magic.stream('Hi')])\n"
        "asyncio.run(main())\n"
        "assert 'IPython' not in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("one two one  two\n['one ', 'two']\n", "")


def test_a_script_ends_with_a_stream_that_it_left(start) -> None:
    """A stream that nobody read to its end keeps no script alive, and nothing is printed at its end."""
    start(answers=lambda _: ["word "] * 2000, pace=30)
    code = "import ollama_magic\nanswer = iter(ollama_magic.stream('Hi'))\nprint(next(answer))\n"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "word \n", "")


def test_what_cut_an_answer_is_told_as_in_a_cell(start) -> None:
    """The notes of an answer are those that a cell would show, option and all."""
    start(answers=lambda body: ["one ", "two ", "three ", "four "])
    reply = ollama_magic.chat("Count", options={"num_predict": 2})
    assert reply.notes == ("answer cut by num_predict=2; `-o num_predict=-1` removes the limit",)
    reply = ollama_magic.chat("Count", format="json")
    assert reply.notes[0].startswith("this is not JSON")
