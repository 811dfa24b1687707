"""What the demo says: labelled, in the prompt's language, with the conversation remembered."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ollama_magic.demo.recordings.text_pieces import pieces as tokens
from tests.demo.asking import ask, chat
from tests.double import PLAIN, DemoModel, ScriptedServer
from tests.double.answers.scripted_replies import hello, reply_to

LABEL = "*demo: scripted reply, no language model"
TEXTS = sorted((Path(__file__).parent / "answers/replies").rglob("*.md"))


def said(*prompts: str, **fields: object) -> str:
    with ScriptedServer(pace=0) as server:
        return chat(server.url, *prompts, stream=False, **fields).lines[0]["message"]["content"]


@pytest.mark.parametrize(
    "prompt",
    [*("Hello", "你好", "Is 91 a prime number?", "Tell me a long story", "Where is Peru?", "My name is Ada", "请写诗")],
)
def test_every_scripted_reply_is_labelled(prompt: str) -> None:
    """The last paragraph, in italics, says that this is a demo."""
    last = said(prompt).split("\n\n")[-1]
    assert last.startswith(LABEL)
    assert last.endswith("*")


def test_hello_is_the_recorded_answer() -> None:
    """`Hello, how are you?` is answered word for word as gemma3:1b did, and labelled as recorded."""
    text = said("Hello, how are you?")
    assert text.startswith(
        "Hello there! I’m doing well, thanks for asking. As an AI, I don’t really *feel* things like"
    )
    assert text.endswith("How’s your day going so far?\n\n*recorded: gemma3:1b, 2025-04-22*")
    assert LABEL not in text


def test_hello_has_the_recorded_pace() -> None:
    """The recorded pieces come with the recorded pauses: 62 of them in 0.45 s, the first after 48 ms."""
    pieces = hello().deltas(at_its_pace=True)
    waits = [piece.wait or 0.0 for piece in pieces[:62]]
    assert [piece.content for piece in pieces[:3]] == ["Hello", " there", "!"]
    assert waits[0] == pytest.approx(0.0483)
    assert sum(waits) == pytest.approx(0.449, abs=0.001)


@pytest.mark.parametrize(("prompt", "word"), [("Compare lists and sets", "In short"), ("比较列表和集合", "简单地说")])
def test_language_of_the_prompt(prompt: str, word: str) -> None:
    """A Chinese prompt gets a Chinese reply, an English one an English reply."""
    assert word in said(prompt)


@pytest.mark.parametrize(
    ("prompt", "mark"),
    [
        ("Compare lists, tuples and sets in Python in a short table.", "| --- |"),
        ("Write a Python function that returns the first n Fibonacci numbers.", "```python"),
        ("Solve a quadratic equation", "$$"),
        ("A packing list, please", "\n   - "),
        ("Show me some emoji", "👩‍💻"),
        ("Show me what Markdown can do", "> A quotation"),
        ("请用一句话介绍你自己，并举一个**加粗**的例子。", "**"),
        ("Describe this:\n| | a | b |\n|---|---|---|\n| 0 | 1 | x |\n| 1 | 4 | y |", "| `a` | 1 | 4 | 2.50 |"),
        ('Which needs an umbrella? {"Bergen": 2250, "Cairo": 18, "Lima": 16}', "**Bergen**"),
    ],
)
def test_markdown_of_each_kind(prompt: str, mark: str) -> None:
    """Tables, code, math, nested lists, emoji and figures are there for the asking."""
    assert mark in said(prompt)


@pytest.mark.parametrize("prompt", ["Tell me a long story", "讲一个很长的故事"])
def test_long_answer(prompt: str) -> None:
    """A long answer has some 2,000 tokens in English, and a like length in Chinese."""
    assert 1400 < len(tokens(said(prompt))) < 2300


def test_the_conversation_is_remembered() -> None:
    """What was told earlier comes back, which proves that the history was sent."""
    assert "**Ada**" in said("My name is Ada", "What is my name?")
    assert "`What did Ada do?`" in said("What did Ada do?", "What did I just ask you? Answer in one sentence.")
    assert "1. `one`\n2. `two`" in said("one", "two", "What did I tell you?")
    assert "小明" in said("我叫小明", "我叫什么名字？")
    assert "not told me" in said("What is my name?")


def test_the_users_words_are_safe() -> None:
    """The user's own words are shown as code, so that nothing in them is Markdown."""
    text = said("*Ada* | `x` <script>alert(1)</script>\n# heading ![i](http://x/y)")
    assert "``*Ada* \\| `x` <script>alert(1)</script> # heading ![i](http://x/y)``" in text


def test_the_system_message_is_seen() -> None:
    """A system message stands in the reply that shows what came."""
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Where is Peru?"}]
    with ScriptedServer(pace=0) as server:
        reply = ask(server.url, "POST", "/api/chat", {"model": "demo", "stream": False, "messages": messages})
    assert "`Be brief.`" in reply.lines[0]["message"]["content"]


def test_thinking_only_where_it_was_scripted() -> None:
    """A puzzle brings a thought unless `think` is false, a plain hello none."""
    with ScriptedServer(pace=0) as server:
        replies = [chat(server.url, *args, stream=False, **more) for args, more in THINKING]
    assert ["thinking" in reply.lines[0]["message"] for reply in replies] == [True, True, False, False]


THINKING = [
    (("Is 91 a prime number?",), {}),
    (("Give me a puzzle",), {"think": True}),
    (("Give me a puzzle",), {"think": False}),
    (("Hello",), {"think": True}),
]


def test_thinking_comes_first() -> None:
    """In a stream thinking chunks with empty content come first, then the content."""
    with ScriptedServer(pace=0) as server:
        lines = chat(server.url, "Is 91 a prime number?", think=True).lines
    kinds = ["thinking" in line["message"] for line in lines]
    assert kinds == sorted(kinds, reverse=True)
    assert "91 = 13 × 7 + 0" in "".join(line["message"].get("thinking", "") for line in lines)


def test_the_same_request_gives_the_same_text() -> None:
    """Replies are deterministic."""
    assert said("Where is Peru?") == said("Where is Peru?")


def test_json_where_json_was_asked_for() -> None:
    """With a format the reply is JSON that fits it."""
    schema = {"type": "object", "properties": {"age": {"type": "integer"}, "tags": {"type": "array", "items": {}}}}
    assert json.loads(said("x", format="json"))["reply"].startswith("demo:")
    assert isinstance(json.loads(said("x", format=schema))["age"], int)


def test_options_that_cut_the_answer() -> None:
    """`num_predict` and `stop` end the answer, with their reasons."""
    with ScriptedServer(pace=0) as server:
        cut = chat(server.url, "Hello", options={"num_predict": 2})
        stopped = chat(server.url, "Hello", options={"stop": ["👋"]})
    assert (len(cut.lines), cut.lines[-1]["done_reason"], cut.lines[-1]["eval_count"]) == (3, "length", 2)
    assert (stopped.text, stopped.lines[-1]["done_reason"]) == ("Hello! ", "stop")


def test_a_full_window_drops_the_oldest() -> None:
    """What does not fit the window is dropped from the front, and the count never exceeds the window."""
    with ScriptedServer(pace=0) as server:
        reply = chat(
            server.url, "My name is Ada", "word " * 30, "What is my name?", options={"num_ctx": 48}, stream=False
        )
    assert "not told me" in reply.lines[0]["message"]["content"]
    assert reply.lines[0]["prompt_eval_count"] <= 48


def test_a_models_own_messages_stand_in_front() -> None:
    """Stored messages and the system text of a model are put before the request's."""
    model = DemoModel("ada", system="Be kind.", messages=(("user", "My name is Ada"), ("assistant", "Hello, Ada!")))
    with ScriptedServer(pace=0, models=[model]) as server:
        body = {
            "model": "ada",
            "messages": [{"role": "user", "content": "What is my name?"}],
            "_debug_render_only": True,
        }
        rendered = ask(server.url, "POST", "/api/chat", body).lines[0]["_debug_info"]["rendered_template"]
        del body["_debug_render_only"]
        reply = ask(server.url, "POST", "/api/chat", {**body, "stream": False}).lines[0]
    assert rendered.startswith("<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nMy name is Ada<|im_end|>")
    assert "**Ada**" in reply["message"]["content"]


def test_a_plain_model_never_thinks() -> None:
    """A model without the capability gives the same answer without the thought."""
    with ScriptedServer(pace=0, models=[PLAIN]) as server:
        body = {"model": "demo-plain", "stream": False, "messages": [{"role": "user", "content": "Is 91 a prime?"}]}
        message = ask(server.url, "POST", "/api/chat", body).lines[0]["message"]
    assert set(message) == {"role", "content"}


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_each_text_has_its_twin(path: Path) -> None:
    """Every text exists in English and Chinese, and its pieces joined are the text."""
    other = {"en": "zh", "zh": "en"}[path.parent.name]
    text = path.read_text("utf-8")
    assert (path.parents[1] / other / path.name).is_file()
    assert "".join(tokens(text)) == text


def test_a_thought_is_no_part_of_the_text() -> None:
    """A scripted thought never leaks into the content."""
    reply = reply_to([("user", "Give me a puzzle")], thinks=False)
    assert "<think>" not in "".join(piece.content for piece in reply.deltas())  # type: ignore[call-arg]
