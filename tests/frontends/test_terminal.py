"""IPython in a terminal: text as it comes, Ctrl-C, and nothing that steers the terminal."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

import pytest

from ollama_magic.conversation.reply import Reply
from ollama_magic.display.terminal import TerminalView
from tests.answers import chats, paragraphs, sent, words
from tests.double import Fault
from tests.frontends.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.double import ScriptedServer

    Servers = Callable[..., ScriptedServer]
    Terminals = Callable[[], Terminal]

HOSTILE = "A\x1b[31mred\x1b[0mB\x1b]52;c;ZXZpbA==\x07C\x9b2JD\u202eevil\u202cE\x07\x08F\x1bc\x1b]0;title\x1b\\G"
SHOWN = "AredBCD⟨U+202E⟩evil⟨U+202C⟩EFG"


@pytest.fixture
def terminal(tmp_path: Path, bare_machine: Path) -> Iterator[Terminals]:
    """Starts IPython in a terminal, with the extension loaded."""
    started: list[Terminal] = []

    def start() -> Terminal:
        started.append(Terminal(tmp_path))
        assert started[-1].run("%load_ext ollama_magic").strip() == ""
        return started[-1]

    yield start
    for one in started:
        one.close()


def test_a_cell_of_several_lines(answering: Servers, terminal: Terminals) -> None:
    """A chat cell is sent after its blank line and not before, and its answer is plain text and nothing more."""
    server = answering(answers=lambda _: words(paragraphs(2)))
    shell = terminal()
    assert shell.run("%%chat", "Tell me", "%of `it`?", "", "") == f"{paragraphs(2)}\n\n"
    assert [content.rstrip("\n") for _, content in sent(chats(server)[0])] == ["Tell me\n%of `it`?"]


def test_the_answer_streams(answering: Servers, terminal: Terminals) -> None:
    """The first words are on the terminal while the server still speaks."""
    server = answering(pace=30, faults=[Fault("script", script=words(paragraphs(6)))])
    shell = terminal()
    shell.start("%chat Tell me.")
    shell.expect("p1")
    assert not chats(server)[0].ended.is_set()
    assert "p5** is paragraph number 5 of `6`" in shell.wait()


@pytest.mark.parametrize("faults", [(), (Fault("silence", after=12),)], ids=["busy", "silent"])
def test_interrupt(answering: Servers, terminal: Terminals, faults: tuple[Fault, ...]) -> None:
    """Ctrl-C hangs up with one calm line, the text stays and is remembered, and the next turn works."""
    texts = iter([paragraphs(400), "Fine."])
    server = answering(pace=60, answers=lambda _: words(next(texts)), faults=faults)
    shell = terminal()
    shell.start("%chat Go on.")
    shell.expect("p0** is par")
    shell.interrupt()
    said = shell.wait()
    assert said.rstrip().splitlines()[-1] == "Stopped; the text so far is kept."
    assert "Traceback" not in said
    assert chats(server)[0].ended.wait(30)
    assert chats(server)[0].closed_early
    assert shell.run("%chat And now?") == "Fine.\n\n"
    asked, kept, now = sent(chats(server)[1])
    assert (asked, now) == (("user", "Go on."), ("user", "And now?"))
    assert kept[1].startswith("**p0** is par")


def test_interrupt_before_the_first_byte(answering: Servers, terminal: Terminals) -> None:
    """Ctrl-C while the server is still silent hangs up, and the turn is not remembered."""
    server = answering(faults=[Fault("silence_first")], answers=lambda _: ["Fine."])
    shell = terminal()
    shell.start("%chat Anybody?")
    server.wait_for_requests(seconds=30)
    shell.interrupt()
    said = [line for line in shell.wait().splitlines() if line]
    assert said == ["^C", "Stopped; no text had arrived, so nothing is stored."]
    assert shell.run("%chat And now?") == "Fine.\n\n"
    assert sent(chats(server)[1]) == [("user", "And now?")]


def test_a_hostile_answer(answering: Servers, terminal: Terminals) -> None:
    """No escape sequence, control or bidi character of an answer reaches the terminal."""
    answering(answers=lambda _: words(HOSTILE))
    shell = terminal()
    assert shell.run("%chat Be hostile.") == f"{SHOWN}\n\n"
    shown = shell.run("ollama_magic = __import__('ollama_magic'); ollama_magic.last")
    assert shown.endswith(f"{SHOWN}\n\n")
    assert not re.search("[\x07\x08\x9b\u202e]|\x1bc|\x1b\\]", shown)
    assert SHOWN in shell.run("%ollama history")


@pytest.mark.parametrize("cut", range(1, len(HOSTILE)))
def test_escapes_in_pieces(cut: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever a paint cuts a hostile answer in two, the terminal shows the same."""
    monkeypatch.setattr("sys.stdout", out := io.StringIO())
    reply, view = Reply(text_parts=[HOSTILE[:cut]]), TerminalView()
    view.begin(reply, lambda: None)
    view.show(reply)
    reply.text_parts.append(HOSTILE[cut:])
    view.show(reply)
    reply.state = "complete"
    view.finish(reply)
    assert out.getvalue() == f"{SHOWN}\n"


def test_commands(answering: Servers, terminal: Terminals) -> None:
    """Cards and tables are text in columns, an assigned answer is a reply, and a mistake is one line."""
    server = answering(answers=lambda _: ["Fine."])
    shell = terminal()
    assert re.search(rf"^  server +{re.escape(server.url)}, Ollama", shell.run("%ollama"), re.MULTILINE)
    assert shell.run("%ollama list").splitlines()[1].startswith("demo:latest")
    assert shell.run("r = %chat How are you?") == "Fine.\n\n"
    assert shell.run("r.text.upper()").endswith("'FINE.'\n\n")
    mistake = shell.run("%chat -m nobody Hello?").strip()
    assert 'No model "nobody"' in mistake
    assert "\n" not in mistake


def test_background(answering: Servers, terminal: Terminals) -> None:
    """A background answer is written above the prompt in whole lines, which are never drawn over."""
    server = answering(pace=60, faults=[Fault("script", script=words("one line\nand one more"))])
    shell = terminal()
    assert shell.run("%chat -b Tell me.") == "\n"
    shell.expect("one line\r\n")
    shell.expect("and one more\r\n")
    assert chats(server)[0].ended.wait(30)


def test_leaving(answering: Servers, terminal: Terminals) -> None:
    """Leaving while an answer runs in the background hangs up and ends without a traceback."""
    server = answering(faults=[Fault("silence_first")])
    shell = terminal()
    shell.run("%chat -b Anybody?")
    server.wait_for_requests(seconds=30)
    assert "Traceback" not in shell.leave()
    assert chats(server)[0].ended.wait(30)
    assert chats(server)[0].closed_early


def test_tab_in_a_terminal(demo_server: Servers, terminal: Terminals, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a terminal Tab completes a command, and a word of a prompt stays as it was typed."""
    server = demo_server(pace=0)
    monkeypatch.setenv("OLLAMA_HOST", server.url)
    shell = terminal()
    shell.child.send("%ollama versi\t")
    shell.child.expect(r"versi(\x1b\[[0-9;?]*[a-z])*on")  # what was typed may be drawn before what Tab adds
    assert "ollama_magic" in shell.run("")
    shell.run("%chat Say: impor\t")
    assert chats(server)[-1].json["messages"][-1]["content"] == "Say: impor"
