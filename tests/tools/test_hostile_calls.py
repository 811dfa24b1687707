"""What a model or server may send instead of a proper call: nothing runs but what is listed, and all of it is told."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tools.loops import ANSWER, DONE, answered, called, line

RAN: list[str] = []


def weather(city: str, days: int = 1) -> str:
    """Say the weather."""
    RAN.append(city)
    return f"18 °C in {city}"


def secret() -> str:
    """A function that is not listed."""
    RAN.append("secret")
    return "the key"


def deep(levels: int) -> Any:
    """A list within lists."""
    value: Any = []
    for _ in range(levels):
        value = [value]
    return value


FINE = {"city": "Lima"}
# What came, and what the step says of it.
REFUSED = {
    "a name that is not listed": (called("secret"), "there is no tool secret; there are: weather"),
    "a dunder": (called("__import__", {"name": "os"}), "there is no tool __import__"),
    "a path in the name": (called("../../weather", FINE), "there is no tool ../../weather"),
    "a dotted name": (called("weather.__globals__", FINE), "there is no tool weather.__globals__"),
    "no name": (called(None, FINE), "the call has no name"),
    "arguments as text": (called("weather", '{"city": "Lima"}'), "the arguments are a text, not an object"),
    "arguments as a list": (called("weather", ["Lima"]), "the arguments are a list, not an object"),
    "deep arguments": (called("weather", {"city": deep(100)}), "nested more than 32 levels"),
    "huge arguments": (called("weather", {"city": "x" * 300_000}), "at most 200,000 are read"),
    "missing arguments": (called("weather"), "the argument city is missing"),
    "an argument too many": (
        called("weather", {**FINE, "self": 1}),
        "there is no argument self; there are: city, days",
    ),
    "a wrong type": (called("weather", {"city": "Lima", "days": "many"}), "days: Input should be a valid integer"),
    "injected keys": (
        called("weather", {**FINE, "__class__": "os", "__globals__": {}}),
        "there is no argument __class__",
    ),
    "no function": ({"id": "x"}, "the call has no function"),
}


@pytest.fixture(autouse=True)
def nothing_ran() -> None:
    """Forget what ran before."""
    RAN.clear()


@pytest.mark.parametrize("what", REFUSED)
def test_a_call_that_cannot_run(what: str) -> None:
    """It runs nothing; the model is sent why, the step says it, and the turn goes on."""
    call, why = REFUSED[what]
    reply, server = answered([line([call]), DONE], ANSWER, tools=[weather])
    (step,) = reply.steps
    assert (RAN, reply.state, reply.text, step.state) == ([], "complete", "Done.", "failed")
    assert why in step.error
    assert "\n" not in step.error
    assert server.requests[1].messages[-1].content == f"Error: {step.error}"


@pytest.mark.parametrize("calls", ["weather", 5, {"function": 1}])
def test_calls_that_are_no_list(calls: object) -> None:
    """What stands in the place of the calls is told, and runs nothing."""
    reply, _ = answered([line(calls), DONE], ANSWER, tools=[weather])
    assert (RAN, reply.text, reply.steps[0].error) == ([], "Done.", "the calls are not a list")


@pytest.mark.parametrize(
    ("content", "thinking"),
    [
        ('<tool_call>\n{"name": "weather", "arguments": {"city": "Lima"}}\n</tool_call>', ""),
        ('{"name": "weather", "parameters": {"city": "Lima"}}', ""),
        ('```json\n{"name": "secret", "arguments": {}}\n```', ""),
        ('weather(city="Lima")', ""),
        ("Well.", '<tool_call>{"name": "weather"'),
    ],
)
def test_a_call_in_text_or_thinking(content: str, thinking: str) -> None:
    """A call that a model writes as text or thinks is no call: it runs nothing, and a note says so."""
    reply, server = answered([line(content=content, thinking=thinking), DONE], tools=[weather])
    assert (RAN, reply.steps, len(server.requests)) == ([], [], 1)
    assert "nothing was run" in " ".join(reply.notes)


def test_a_text_about_a_tool_is_no_call() -> None:
    """An answer that only speaks of a tool gets no note."""
    reply, _ = answered([line(content="I asked weather(city) for it: 18 °C."), DONE], tools=[weather])
    assert reply.notes == ()


@pytest.mark.parametrize("end", [[], [{"error": "the runner has ended"}]])
def test_a_call_that_never_completes(end: list[dict[str, Any]]) -> None:
    """Calls of an answer without its end mark, or with an error, may not be whole: they do not run."""
    reply, server = answered([line([called("weather", FINE)]), *end], tools=[weather])
    assert (RAN, len(server.requests)) == ([], 1)
    assert reply.state in ("cut", "failed")
    assert "1 tool call (weather) was not run" in " ".join(reply.notes)


def test_a_call_that_is_cut_by_a_limit() -> None:
    """Where the answer ended at its length limit nothing runs, whether a call came before or was lost."""
    cut = {**DONE, "done_reason": "length"}
    reply, _ = answered([line([called("weather", FINE)]), cut], tools=[weather])
    assert (RAN, reply.state) == ([], "complete")
    assert "was not run: the answer was cut at its length limit" in " ".join(reply.notes)
    lost, _ = answered([cut], tools=[weather])
    assert "it was cut off: nothing was run" in " ".join(lost.notes)


def test_the_same_call_three_times() -> None:
    """The third call that is the same as two before it does not run, and ends the turn with one line."""
    reply, server = answered([line([called("weather", FINE)]), DONE], tools=[weather])
    assert (RAN, len(server.requests), reply.state) == (["Lima", "Lima"], 3, "cut")
    assert "made the same call of weather 3 times" in str(reply.error)
    assert [step.state for step in reply.steps] == ["done", "done", "failed"]


def test_a_thousand_calls_at_once() -> None:
    """Of very many calls the first 32 run, and a note says how many were left out."""
    calls = [called("weather", {"city": f"city {number}"}) for number in range(1000)]
    reply, server = answered([line(calls), DONE], ANSWER, tools=[weather])
    assert (len(RAN), len(reply.steps), reply.text) == (32, 32, "Done.")
    assert "968 tool calls left out" in " ".join(reply.notes)
    assert len(server.requests[1].messages) == 1 + 1 + 32


def test_rounds_have_an_end() -> None:
    """After as many rounds as are allowed the turn ends, says so, and says what allows more."""
    rounds = [[line([called("weather", {"city": f"city {number}"})]), DONE] for number in range(20)]
    reply, server = answered(*rounds, tools=[weather], tool_rounds=4)
    assert (len(RAN), len(server.requests), reply.state) == (4, 5, "cut")
    assert "in 4 rounds" in str(reply.error)
    assert "tool_rounds = 8" in str(reply.error)


def test_a_call_where_no_tool_is_listed() -> None:
    """A server that sends a call unasked is told of in a note; nothing runs, and nothing is sent back."""
    reply, server = answered([line([called("weather", FINE)]), line(content="Well."), DONE])
    assert (RAN, len(server.requests), reply.text, reply.steps) == ([], 1, "Well.", [])
    assert "no tool is listed" in " ".join(reply.notes)


@pytest.mark.parametrize(
    ("error", "cure"),
    [
        ("error parsing tool call: raw='{\"city\"', err=unexpected end of JSON input", "nothing was run"),
        ("registry.ollama.ai/library/tiny:latest does not support tools", "leave the tools out"),
    ],
)
def test_what_a_server_says_of_a_call_has_its_cure(error: str, cure: str) -> None:
    """A call that the server itself cannot read fails the turn with one line that says what to do, and runs nothing."""
    reply, _ = answered([{"error": error}], tools=[weather])
    assert (RAN, reply.state) == ([], "failed")
    assert cure in str(reply.error)
