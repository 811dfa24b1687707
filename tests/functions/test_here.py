"""The functions beside a loaded extension: its settings, and the notebook's own conversation."""

from __future__ import annotations

import asyncio

import pytest

import ollama_magic
from ollama_magic import Conversation
from ollama_magic.errors import AnswerCut, InputError, ModelNotFound
from tests.answers import chats, paragraphs, sent, words
from tests.double import DEMO, PLAIN, Fault
from tests.shells import loaded_shell, run

LONG = words(paragraphs(400))


@pytest.fixture
def shell(start):
    with loaded_shell() as shell:
        yield shell


def echo(body) -> list[str]:
    return [body["messages"][-1]["content"].strip().upper()]


def test_functions_take_the_settings_of_the_extension(shell, start, demo_server) -> None:
    """Host and model are those of the session: what `%ollama host` and `%ollama model` told counts here too."""
    first, second = start(), demo_server(pace=0, models=[DEMO, PLAIN])
    run(shell, f"%ollama host {second.url}")
    run(shell, "%ollama model demo-plain")
    assert ollama_magic.chat("Hi").model == "demo-plain"
    assert asyncio.run(ollama_magic.stream("Hi")._awaited()).model == "demo-plain"
    assert not first.requests


def test_functions_remember_nothing(shell, start) -> None:
    """Neither chat nor stream touches the notebook's conversation or its last reply."""
    server = start(answers=echo)
    run(shell, "%chat one")
    last = ollama_magic.last
    ollama_magic.chat("between")
    assert ollama_magic.last is last
    run(shell, "%chat two")
    assert sent(chats(server)[-1]) == [("user", "one"), ("assistant", "ONE"), ("user", "two")]


def test_here_is_the_notebooks_conversation(shell, start) -> None:
    """Turns from Python and from cells are one conversation; nothing of the former is shown."""
    server = start(answers=echo)
    run(shell, "%chat -s brief one")
    shown, error = run(shell, "import ollama_magic as om\nr = om.Conversation.here().chat('two')")
    assert (shown, error) == ("", None)
    assert shell.user_ns["r"].text == "TWO"
    assert "".join(Conversation.here().stream("three")) == "THREE"
    run(shell, "%chat four")
    asked = ["one", "ONE", "two", "TWO", "three", "THREE", "four"]
    assert [content for _, content in sent(chats(server)[-1])] == asked
    assert [message["content"] for message in Conversation.here().messages] == [*asked, "FOUR"]
    assert repr(Conversation.here()) == "Conversation.here(): main, 4 turns"


def test_here_takes_what_was_told(shell, start) -> None:
    """A turn from Python has the system text and the options that `%ollama` told, as `%%chat` has."""
    server = start(answers=echo)
    run(shell, "%ollama system Be brief.")
    run(shell, "%ollama set temperature 0.2")
    Conversation.here().chat("one")
    assert chats(server)[-1].json["options"] == {"temperature": 0.2}
    assert sent(chats(server)[-1])[0] == ("system", "Be brief.")


def test_its_messages_have_the_system_text_that_is_sent(shell, start) -> None:
    """The text of the conversation is stronger than that of %config, also an empty one."""
    start()
    shell.run_cell("%config OllamaMagic.system = 'Configured'")
    for command, expected in (("", ["Configured"]), ("%ollama system Told", ["Told"]), ('%ollama system ""', [])):
        shell.run_cell(command)
        messages = Conversation.here().messages
        assert [message["content"] for message in messages if message["role"] == "system"] == expected


def test_here_undoes_its_newest_turn(shell, start) -> None:
    """The newest turn is taken back, no other of its cell; that is a step, and `%ollama undo` takes it back."""
    start(answers=echo)
    talk = Conversation.here()
    with pytest.raises(InputError):
        talk.undo()
    run(shell, "%chat one")
    talk.chat("two")
    talk.undo()
    assert [message["content"] for message in talk.messages] == ["one", "ONE"]
    run(shell, "%ollama undo")
    assert len(talk.messages) == 4


def test_here_keeps_its_name(shell, start) -> None:
    """A conversation stays itself when the notebook switches to another."""
    start(answers=echo)
    talk = Conversation.here()
    run(shell, "%ollama switch other")
    talk.chat("one")
    assert Conversation.here().messages == []
    assert len(talk.messages) == 2


def test_leaving_a_turn_of_the_notebook_stops_it(shell, start) -> None:
    """Breaking off a turn, in either kind of loop, hangs up and keeps its text as stopped."""
    server = start(pace=200, answers=lambda _: iter(LONG))
    talk = Conversation.here()
    for _ in talk.stream("one"):
        break

    async def main() -> None:
        async for _ in talk.stream("two"):
            break

    asyncio.run(main())
    for asked in chats(server):
        assert asked.ended.wait(30)
        assert asked.closed_early
    session = shell.magics_manager.registry["OllamaMagic"].session
    session.stop_all()
    assert [turn.state for turn in session.conversation().turns] == ["stopped", "stopped"]


def test_here_raises_for_less_than_a_whole_answer(shell, start) -> None:
    """A cut answer raises in either kind of loop, and its text is kept."""
    start(faults=[Fault("no_done", after=1), Fault("no_done", after=1)])
    talk = Conversation.here()
    with pytest.raises(AnswerCut):
        talk.chat("one")

    async def main() -> str:
        return "".join([chunk async for chunk in talk.stream("two")])

    with pytest.raises(AnswerCut):
        asyncio.run(main())
    assert len(talk.messages) == 4


def test_here_streams_on_the_callers_loop(shell, start) -> None:
    """`async for` over a turn of the notebook gives all of it."""
    start(answers=lambda _: ["one ", "two ", "three"])

    async def main() -> str:
        return "".join([chunk async for chunk in Conversation.here().stream("Hi")])

    assert asyncio.run(main()) == "one two three"


def test_here_is_awaited(shell, start) -> None:
    """`await` gives the reply of a turn of the notebook, as it does for the other streams; an error is raised."""
    start(answers=lambda _: ["Yes."])

    async def ask() -> str:
        return (await Conversation.here().stream("Hi")).text

    assert asyncio.run(ask()) == "Yes."
    run(shell, "%ollama clear\n%config OllamaMagic.model = 'nobody'")
    with pytest.raises(ModelNotFound):
        asyncio.run(ask())


def test_a_stream_does_not_end_whole_with_a_reload(shell, start) -> None:
    """A stream whose loop `%reload_ext` closes says that its answer is not whole."""
    start(pace=200, answers=lambda _: iter(LONG))
    chunks = iter(ollama_magic.stream("Hi"))
    next(chunks)
    run(shell, "%reload_ext ollama_magic")
    with pytest.raises(AnswerCut, match="ollama_magic was unloaded meanwhile"):
        list(chunks)
