"""What `demo` answers: recordings, showcase texts, and else the plain truth, or a language model where there is one."""

from __future__ import annotations

import json
import re
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ollama_magic.demo.demo_server import DemoServer
from ollama_magic.demo.language_model import Finished, Message, ModelError, Piece
from ollama_magic.demo.models.model_card import DEMO, DemoModel
from ollama_magic.demo.recordings import showcase
from ollama_magic.demo.recordings.text_pieces import pieces
from tests.demo.asking import chat, connected, request
from tests.demo.lines import error, loaded, names, post, statuses

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ollama_magic.demo.language_model import Event, GenerationRequest

LABEL = "*demo: scripted reply, no language model"
TEXTS = sorted((Path(showcase.__file__).parent / "showcase_texts").rglob("*.md"))
EXAMPLES = Path(__file__).parents[2] / "examples"
TINY = DemoModel("tiny", base="tiny")


class Parrot:
    """A language model that says the prompt again, word by word."""

    name = "tiny"
    size = 7

    def __init__(self) -> None:
        self.seen: list[GenerationRequest] = []
        self.calls: list[str] = []
        self.closed = threading.Event()

    def load(self, options: dict[str, Any]) -> None:
        self.calls.append(f"load {options['num_ctx']}" if "num_ctx" in options else "load")

    def unload(self) -> None:
        self.calls.append("unload")

    def tokenize(self, text: str) -> list[int]:
        return [ord(character) for character in text]

    def detokenize(self, tokens: list[int]) -> str:
        return "".join(map(chr, tokens))

    def render(self, messages: list[Message]) -> str:
        return "".join(f"<{message.role}>{message.content}" for message in messages)

    def generate(self, asked: GenerationRequest) -> Iterator[Event]:
        self.seen.append(asked)
        text = asked.messages[-1].content if asked.messages else str(asked.prompt)
        try:
            yield None
            for word in text.split():
                if word == "break":
                    raise ModelError(500, "the engine has ended")
                while word == "wait":
                    yield None
                yield Piece(f"{word} ")
            yield Finished("length", prompt_tokens=3, tokens=5)
        finally:
            self.closed.set()

    def embed(self, texts: list[str]) -> list[list[float]]:
        return [[0.6, 0.8] for _ in texts]


@pytest.fixture
def parrot() -> Parrot:
    return Parrot()


@pytest.fixture
def server(parrot: Parrot) -> Iterator[DemoServer]:
    with DemoServer(pace=0, models=[DEMO, TINY], language_models={"tiny": parrot}) as running:
        yield running


def said(*prompts: str, **fields: object) -> str:
    with DemoServer(pace=0) as server:
        return chat(server.url, *prompts, stream=False, **fields).lines[0]["message"]["content"]


@pytest.mark.parametrize(
    ("prompt", "label"),
    [
        ("Hello, how are you?", "*recorded: gemma3:1b, 2025-04-22*"),
        ("hello how are you", "*recorded: gemma3:1b, 2025-04-22*"),
        ("用一句话介绍 Ollama。", "*recorded: tiny, a test model that recites, 2026-11-22*"),
        ("Hello", LABEL),
        ("讲一个很长的故事", LABEL),
        ("Where is Peru?", LABEL),
    ],
)
def test_every_answer_says_where_it_is_from(prompt: str, label: str) -> None:
    """The last line is the recording's label, or says that the reply is scripted."""
    assert said(prompt).rpartition("\n\n")[2].startswith(label)


@pytest.mark.parametrize(
    ("prompt", "mark"),
    [
        ("Compare lists, tuples and sets in Python in a short table.", "| --- |"),
        ("Write a Python function for Fibonacci numbers", "```python"),
        ("Solve a quadratic equation", "$$"),
        ("Show me some emoji", "👩‍💻"),
        ("Show me what Markdown can do", "> A quotation"),
        ("用表格比较列表、元组和集合", "| --- |"),
        ("请用一句话介绍你自己，并举一个**加粗**的例子。", "**"),
        ("可以下载哪些模型？", "`demo-small`"),
        ("Which models can I pull?", "`demo-embed`"),
    ],
)
def test_showcase_topics(prompt: str, mark: str) -> None:
    """A prompt that asks for a topic gets its text, in the prompt's language."""
    assert mark in said(prompt)


@pytest.mark.parametrize(
    "prompt",
    ["Write a function that lists the primes", "What is 2 plus 3?", "My cat thinks in tables", "法国的首都是什么？"],
)
def test_nothing_is_guessed(prompt: str) -> None:
    """A question that was not recorded gets no invented answer: no language model is here, and this is the cure."""
    text = said(prompt)
    assert "ollama pull gemma3:1b" in text
    assert text.startswith(("No language model is installed here", "这里没有安装语言模型"))


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_each_text_has_its_twin(path: Path) -> None:
    """Every text exists in English and Chinese, and its pieces joined are the text."""
    other = {"en": "zh", "zh": "en"}[path.parent.name]
    text = path.read_text("utf-8")
    assert (path.parents[1] / other / path.name).is_file()
    assert "".join(pieces(text)) == text


@pytest.mark.parametrize("path", [path for path in TEXTS if path.stem in ("hello", "no_model")])
def test_the_prompts_that_a_text_names_are_answered(path: Path) -> None:
    """What the greeting and the notice suggest to type has a text of its own."""
    quoted = path.read_text("utf-8").split("`")[1::2]
    prompts = [one for one in quoted if not one.startswith(("ollama", "%"))]
    assert len(prompts) >= 4
    assert all(showcase.showcase_text([prompt]) for prompt in prompts)


def test_a_dialogue_of_the_examples() -> None:
    """The follow-up of an example is answered where the prompt before it is the example's, too."""
    assert "`Hello, how are you?`" in said("Hello, how are you?", "What did I just ask you? Answer in one sentence.")
    assert "No language model" in said("Where is Peru?", "What did I just ask you? Answer in one sentence.")
    assert "**Ada**" in said("My name is Ada.", "What is my name?")
    assert "not told me" in said("What is my name?")


def asked_in(name: str) -> list[str]:
    """What the cells of an example ask, as far as they ask in the main conversation."""
    cells = json.loads((EXAMPLES / name).read_text("utf-8"))["cells"]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    prompts = [
        re.search(r"^%%chat(?! -c| --once)[^\n]*\n(.+)|^(?:\w+ = )?%chat (.+)$", one, re.MULTILINE) for one in sources
    ]
    rain = {"Bergen": 2250, "Cairo": 18, "Lima": 16}
    return [(one[1] or one[2]).strip().replace("{{rainfall}}", str(rain)) for one in prompts if one]


@pytest.mark.parametrize("name", ["quickstart.ipynb", "conversation.ipynb", "panel.ipynb"])
def test_the_prompts_of_the_examples_are_answered(name: str) -> None:
    """Every prompt of an example, with those before it, gets an answer that was recorded or written for it."""
    prompts = asked_in(name)
    assert len(prompts) >= 2
    with DemoServer(pace=0) as server:
        for count in range(1, len(prompts) + 1):
            text = chat(server.url, *prompts[:count]).text
            assert not text.startswith("No language model"), prompts[count - 1]
            assert text.rpartition("\n\n")[2].startswith(("*recorded: ", LABEL))


def test_options_that_cut_the_answer() -> None:
    """`num_predict` and `stop` end the answer, with their reasons."""
    with DemoServer(pace=0) as server:
        cut = chat(server.url, "Hello", options={"num_predict": 2})
        stopped = chat(server.url, "Hello", options={"stop": ["👋"]})
    assert (len(cut.lines), cut.lines[-1]["done_reason"], cut.lines[-1]["eval_count"]) == (3, "length", 2)
    assert (stopped.text, stopped.lines[-1]["done_reason"]) == ("Hello! ", "stop")


def test_a_thought_comes_first() -> None:
    """A puzzle brings a thought in fields of its own, unless `think` is false."""
    with DemoServer(pace=0) as server:
        lines = chat(server.url, "Give me a puzzle", think=True).lines
        without = chat(server.url, "Give me a puzzle", think=False).lines
    kinds = ["thinking" in line["message"] for line in lines]
    assert kinds == sorted(kinds, reverse=True)
    assert any(kinds)
    assert not any("thinking" in line["message"] for line in without)


def test_json_is_not_invented() -> None:
    """Where JSON is asked for and no language model is there, the server says so."""
    with DemoServer(pace=0) as server:
        status, text = error(server, "chat", model="demo", messages=[{"role": "user", "content": "x"}], format="json")
    assert (status, "no language model" in text) == (501, True)


def test_context_continues_a_conversation() -> None:
    """The numbers of prompt and answer, sent along with the next prompt, make it a conversation."""
    with DemoServer(pace=0) as server:
        first = post(server, "generate", model="demo", prompt="My name is Ada", stream=False).lines[0]
        asked = {"model": "demo", "prompt": "What is my name?", "stream": False}
        assert "**Ada**" in post(server, "generate", **asked, context=first["context"]).lines[0]["response"]


def test_a_language_model_answers_what_was_not_recorded(server: DemoServer, parrot: Parrot) -> None:
    """It gets messages, options and all; the last line says that the answer is a real model's."""
    lines = chat(server.url, "Hello, how are you?", "And Peru?", options={"seed": 3}).lines
    text = "".join(line["message"]["content"] for line in lines)
    assert text == "And Peru? \n\n*tiny: a real answer, and often wrong*"
    assert (lines[-1]["done_reason"], lines[-1]["prompt_eval_count"], lines[-1]["eval_count"]) == ("length", 3, 5)
    assert [message.role for message in parrot.seen[0].messages] == ["user", "assistant", "user"]
    assert parrot.seen[0].options["seed"] == 3
    assert "recorded" in chat(server.url, "Hello, how are you?").text


def test_a_language_model_by_its_own_name(server: DemoServer, parrot: Parrot) -> None:
    """Asked directly it answers everything, says nothing of its own, and is loaded once and unloaded when it should."""
    for prompt in ("Hello", "Hi"):
        reply = post(server, "chat", model="tiny", messages=[{"role": "user", "content": prompt}])
        assert reply.text == f"{prompt} "
    (running,) = loaded(server)
    assert (running["name"], running["size"]) == ("tiny:latest", 7)
    post(server, "generate", model="tiny", keep_alive=0)
    assert parrot.calls == ["load 4096", "unload"]
    assert loaded(server) == []


def test_a_language_model_that_breaks_off(server: DemoServer) -> None:
    """In the middle an error line ends the answer; before the first piece the status says it."""
    lines = post(server, "chat", model="tiny", messages=[{"role": "user", "content": "one break"}]).lines
    assert lines[-1] == {"error": "the engine has ended"}
    first = {"model": "tiny", "messages": [{"role": "user", "content": "break"}]}
    assert error(server, "chat", **first) == (500, "the engine has ended")
    assert error(server, "chat", **first, stream=False) == (500, "the engine has ended")


def test_a_client_that_leaves_ends_the_generation(server: DemoServer, parrot: Parrot) -> None:
    """The generator is closed though the model has nothing to say."""
    with connected(server.url) as sock:
        body = {"model": "tiny", "messages": [{"role": "user", "content": "one wait"}]}
        sock.sendall(request("POST", "/api/chat", body))
        assert b"one" in sock.recv(65536)
        assert not parrot.closed.is_set()
    assert parrot.closed.wait(30)


def test_what_does_not_fit_is_dropped(server: DemoServer, parrot: Parrot) -> None:
    """The oldest messages go, then the middle of the last; or the request is refused."""
    messages = [{"role": "user", "content": "x" * 30}, {"role": "user", "content": "y" * 60}]
    post(server, "chat", model="tiny", messages=messages, options={"num_ctx": 80})
    post(server, "chat", model="tiny", messages=messages[1:], options={"num_ctx": 40})
    assert [[len(message.content) for message in seen.messages] for seen in parrot.seen] == [[60], [16]]
    for field in ("truncate", "shift"):
        asked = {"model": "tiny", "messages": messages[1:], "options": {"num_ctx": 40}, field: False}
        assert error(server, "chat", **asked)[0] == 400


def test_raw_prompts_and_embeddings(server: DemoServer, parrot: Parrot) -> None:
    """A raw prompt has no template, and a model without the capability makes no embeddings."""
    assert post(server, "generate", model="tiny", prompt="go on", raw=True).lines[-1]["done"]
    assert (parrot.seen[0].prompt, parrot.seen[0].messages) == ("go on", ())
    assert error(server, "embed", model="tiny", input="x")[0] == 501


def test_the_life_of_a_model() -> None:
    """Pull, create, copy, show, embed and delete, as from a real server."""
    with DemoServer(pace=0) as server:
        assert statuses(post(server, "pull", model="demo-embed"))[-1] == "success"
        assert statuses(post(server, "create", model="ada", **{"from": "demo"}, system="Be kind."))[-1] == "success"
        assert post(server, "copy", source="ada", destination="eve").status == 200
        assert names(server) == ["eve:latest", "ada:latest", "demo-embed:latest", "demo:latest"]
        assert post(server, "show", model="eve").lines[0]["system"] == "Be kind."
        near = post(server, "embed", model="demo-embed", input=["a cat", "a cat sits", "copper"]).lines[0]["embeddings"]
        assert post(server, "delete", "DELETE", model="eve").status == 200
        assert "eve:latest" not in names(server)
        assert statuses(post(server, "create", model="x", **{"from": "nosuch"}))[-1].startswith("error: pull model")
    products = [sum(a * b for a, b in zip(near[0], other, strict=True)) for other in near]
    assert products[0] == pytest.approx(1, abs=1e-5)
    assert products[1] > 0.5 > products[2]


def test_a_pull_that_is_cut_resumes() -> None:
    """The second pull begins where the first one was left."""
    with DemoServer(pace=0, pull_seconds=30) as server:
        with connected(server.url) as sock:
            sock.sendall(request("POST", "/api/pull", {"model": "demo-small"}))
            data = b""
            while data.count(b'"completed"') < 2:
                data += sock.recv(65536)
        with connected(server.url) as sock:
            sock.sendall(request("POST", "/api/pull", {"model": "demo-small"}))
            again = b""
            while b'"digest"' not in again:
                again += sock.recv(65536)
    assert b'"completed"' in again.partition(b'"digest"')[2].partition(b"\n")[0]
