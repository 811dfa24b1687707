"""A turn with tools from its cell to its answer: what runs, what is sent, what stays."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import ollama_magic
from ollama_magic.commands.panel import NotebookActions
from ollama_magic.demo.demo_server import DemoServer
from tests.answers import chats
from tests.double import Delta

if TYPE_CHECKING:
    from pathlib import Path
from tests.shells import run
from tests.tools.dialogues import call, shell_with

WEATHER = '''
def weather(city: str) -> str:
    """Say the weather.

    Args:
        city: The name of the city.
    """
    print("looking up", city)
    return f"18 °C in {city}"
'''


def test_a_call_its_result_and_the_answer() -> None:
    """The model calls a function of the notebook, gets its result, and answers; the call is a step of the turn."""
    asks = [Delta(thinking="I need it."), "Let me look.", call("weather", city="Lima")]
    with shell_with(asks, ["It is ", "18 °C."]) as (shell, server):
        run(shell, WEATHER)
        shown, error = run(shell, "%%chat -t weather\nHow is Lima?")
        first, second = (request.json for request in chats(server))
        turn = ollama_magic.last.turn
    (step,) = turn.steps
    assert error is None
    assert shown.splitlines()[-1] == "It is 18 °C."
    assert (turn.text, turn.state, step.result, step.output) == (
        "It is 18 °C.",
        "complete",
        "18 °C in Lima",
        "looking up Lima\n",
    )
    assert first["tools"][0]["function"]["parameters"]["properties"]["city"]["description"] == "The name of the city."
    identity = step.call.id
    assert second["tools"] == first["tools"]
    assert second["messages"][1:] == [
        {
            "role": "assistant",
            "content": "Let me look.",
            "thinking": "I need it.",
            "tool_calls": [
                {"id": identity, "function": {"index": 0, "name": "weather", "arguments": {"city": "Lima"}}}
            ],
        },
        {"role": "tool", "content": "18 °C in Lima", "tool_name": "weather", "tool_call_id": identity},
    ]


def test_steps_are_part_of_the_history() -> None:
    """The next turn is sent the steps of the turn before it, as they were sent then, and its answer."""
    with shell_with([call("weather", city="Lima")], ["It is 18 °C."]) as (shell, server):
        run(shell, WEATHER)
        run(shell, "%%chat -t weather\nHow is Lima?")
        run(shell, "%%chat\nThanks.")
        _, second, third = (request.json["messages"] for request in chats(server))
    assert third[: len(second)] == second
    assert [message["role"] for message in third] == ["user", "assistant", "tool", "assistant", "user"]


def test_an_export_to_python_is_whole(tmp_path: Path) -> None:
    """The exported program has the function and the loop: run by ollama-python, it gets the same answer."""
    path = tmp_path / "cell.py"
    path.write_text(WEATHER)
    with shell_with([call("weather", city="Lima")], ["It is 18 °C."]) as (shell, server):
        shell.safe_execfile(str(path), shell.user_ns)
        run(shell, "%%chat -t weather\nHow is Lima?")
        run(shell, "program = %ollama export python")
        program = [sys.executable, "-c", shell.user_ns["program"]]
        done = subprocess.run(program, capture_output=True, text=True, check=False)
        last = chats(server)[-1].json["messages"]
    assert (done.stdout, done.stderr) == ("looking up Lima\nIt is 18 °C.\n", "")
    assert last[-1]["content"] == "18 °C in Lima"


def test_the_demo_recites_what_a_real_server_said() -> None:
    """The embedded server gives the recorded calls and answer; to another result it says that there is no recording."""

    def get_weather(city: str) -> str:
        """Say the weather."""
        return said[0]

    with DemoServer(pace=0) as server:
        said = ["18 degrees, sunny"]
        asked = {"model": "demo", "tools": [get_weather], "host": server.url}
        right = ollama_magic.chat("What is the weather in Paris?", **asked)
        said[0] = "4 degrees"
        other = ollama_magic.chat("What is the weather in Paris?", **asked)
    assert [(step.call.name, step.call.arguments) for step in right.steps] == [("get_weather", {"city": "Paris"})]
    assert right.text.startswith("It is 18 degrees and sunny in Paris. ☀️")
    assert "recorded: tiny-tools" in right.text
    assert "no recorded answer" in other.text


def test_a_tool_that_asks_in_its_own_conversation() -> None:
    """A tool may ask elsewhere; in the conversation that waits for it, it is refused instead of waiting for ever."""
    asking = """
def weather(city: str) -> str:
    "Say the weather."
    %chat --once Elsewhere?
    %chat Here?
"""
    with shell_with([call("weather", city="Lima")], ["Well."]) as (shell, server):
        run(shell, asking)
        run(shell, "%%chat -t weather\nHow is Lima?")
        session = shell.magics_manager.registry["OllamaMagic"].session
        (step,) = session.conversation().turns[-1].steps
        prompts = [request.json["messages"][-1]["content"] for request in chats(server)]
    assert "Elsewhere?" in prompts
    assert "Here?" not in prompts
    assert "cannot ask in the conversation that waits for it" in step.error


def test_a_tool_that_asks_in_its_own_conversation_by_way_of_another() -> None:
    """A tool asks in another conversation, whose tool asks in the first: that is refused, for both would wait."""
    asking = """
cities = []
def weather(city: str) -> str:
    "Say the weather."
    cities.append(city)
    if len(cities) == 1:
        %chat -c other -t weather Elsewhere?
    else:
        %chat Here?
"""
    with shell_with([call("weather", city="Lima")], ["Well."]) as (shell, _):
        run(shell, asking)
        run(shell, "%%chat -t weather\nHow is Lima?")
        session = shell.magics_manager.registry["OllamaMagic"].session
        (outer,), (inner,) = session.conversation().turns[-1].steps, session.conversation("other").turns[-1].steps
    assert "cannot ask in the conversation that waits for it" in inner.error
    assert (outer.error, session.conversation().turns[-1].text) == ("", "Well.")


def test_tools_of_the_conversation() -> None:
    """What `%ollama tool` lists goes along with cells, with the panel and with functions, until `--none`."""
    with shell_with([call("weather", city="Lima")], ["It is 18 °C."]) as (shell, server):
        run(shell, WEATHER)
        shown, _ = run(shell, "%ollama tool weather")
        run(shell, "%%chat\nHow is Lima?")
        magics = shell.magics_manager.registry["OllamaMagic"]
        handle = NotebookActions(magics).send("And now?")
        assert handle.wait().steps[0].result == "18 °C in Lima"
        assert ollama_magic.Conversation.here().chat("And then?").steps[0].output == "looking up Lima\n"
        run(shell, "%ollama tool --none")
        run(shell, "%%chat\nThanks.")
        listed = [[tool["function"]["name"] for tool in request.json.get("tools", [])] for request in chats(server)]
    assert "Say the weather." in shown
    assert listed == [["weather"]] * 6 + [[]]


def test_a_tool_that_has_gone_is_refused() -> None:
    """Nothing is sent where a listed function does not exist any more, or a model cannot call tools."""
    with shell_with(["Well."]) as (shell, server):
        run(shell, WEATHER)
        run(shell, "%ollama tool weather")
        run(shell, "del weather")
        _, gone = run(shell, "%%chat\nHow is Lima?")
        _, call_of_it = run(shell, "%%chat -t weather()\nHow is Lima?")
        _, unable = run(shell, WEATHER + "\n%chat -m demo-plain -t weather How is Lima?")
        assert chats(server) == []
    assert "weather cannot be a tool: no such variable" in str(gone)
    assert "write the name alone" in str(call_of_it)
    assert "cannot call tools" in str(unable)
    assert "demo-small" in str(unable)
