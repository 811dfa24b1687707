"""The chat panel without a page: what its widgets hold, and what its buttons do to the conversation."""

from __future__ import annotations

import asyncio
import json
import re
import threading
import time
from dataclasses import replace

import pytest

from ollama_magic.commands.panel import ChatPanel, NotebookActions
from ollama_magic.conversation.cell_run import Origin
from ollama_magic.line.loaded import loaded_magics
from ollama_magic.panel import panel_view as panel_room
from ollama_magic.panel.panel_view import Panel
from ollama_magic.panel.transcript import OUTPUTS, Transcript
from ollama_magic.panel.transcript_places import LIMIT as TRANSCRIPT_LIMIT
from ollama_magic.panel.turn_list import LIMIT, LIVE, PORTION
from tests.answers import chats, held, sent, words
from tests.display.replies import HTML, TEXT, WIDGET, found, leaves
from tests.double import Fault, ScriptedServer
from tests.turns import a_turn

MARKS = iter(range(100_000))


def said(body):
    return words(f"You said: **{body['messages'][-1]['content'].strip()}**")


@pytest.fixture
def server(demo_server, shell, monkeypatch):
    """A demo server that repeats what it was told, and the extension loaded in the shell."""
    server = demo_server(pace=0, answers=said)
    monkeypatch.setenv("OLLAMA_HOST", server.url)
    shell.run_line_magic("load_ext", "ollama_magic")
    yield server
    shell.run_line_magic("unload_ext", "ollama_magic")


def page(widget):
    """All HTML that a page shows, in order."""
    values = (getattr(leaf, "value", "") for leaf in leaves(widget))
    return "".join(value for value in values if isinstance(value, str))


def opened(shell, *, widgets=True):
    magics = loaded_magics()
    panel = Panel(magics.session, NotebookActions(magics), shell, f"cell/{next(MARKS)}", widgets=widgets)
    panel.open()
    settle(panel)
    return panel


def settle(panel):
    """Wait until nothing runs and the panel has looked at what there is."""
    session = loaded_magics().session
    for handle in session.running():
        handle.settle(20)

    async def looked():
        for _ in range(200):
            await asyncio.sleep(0)
        while panel.due or session.running():  # noqa: ASYNC110
            await asyncio.sleep(0)

    session.loop_thread.run(looked())


def box(panel, name, inside=None):
    """The box of that name within a widget; without one, that at the panel's foot."""
    return found(inside or panel.root.children[-1], name)[0]


def type_in(panel, text, inside=None):
    """Send a prompt as the panel's script does."""
    box(panel, "outbox", inside).value = json.dumps([[f"mark {next(MARKS)}", text]])
    settle(panel)


def ask(shell, panel, text):
    shell.run_cell(f"%%chat\n{text}")
    settle(panel)


def prompts(panel):
    return [turn.turn.prompt for turn in panel.turns.turns]


def button(widget, text):
    """The button of that name within a widget."""
    if getattr(widget, "description", None) == text:
        return widget
    found = (button(child, text) for child in getattr(widget, "children", ()))
    return next((one for one in found if one is not None), None)


def click(panel, text, inside=None):
    button(inside or panel.root, text).click()
    settle(panel)


def asked(server):
    return [text for role, text in sent(chats(server)[-1]) if role == "user"]


def transcript_in(outputs):
    """What a transcript was sent last."""
    return [bundle for _, bundle, labels in outputs if bundle and "panel" in labels.get("ollama_magic", {})][-1]


def test_one_conversation(shell, server, outputs):
    """A turn in a cell appears in the panel, and a turn in the panel is known to the next cell."""
    panel = opened(shell)
    ask(shell, panel, "one")
    assert prompts(panel) == ["one"]
    assert "You said: <strong>one</strong>" in page(panel.root)
    type_in(panel, "two")
    assert asked(server) == ["one", "two"]
    assert "You said: <strong>two</strong>" in page(panel.root)
    ask(shell, panel, "three")
    assert asked(server) == ["one", "two", "three"]
    assert prompts(panel) == ["one", "two", "three"]


def test_two_panels_agree(shell, server, outputs):
    """What is sent in one panel stands in the other, and so does what was said before it was opened."""
    first = opened(shell)
    type_in(first, "one")
    second = opened(shell)
    type_in(second, "two")
    settle(first)
    assert prompts(first) == prompts(second) == ["one", "two"]
    assert page(first.turns.box).count("You said:") == page(second.turns.box).count("You said:") == 2
    click(first, "Undo")
    settle(second)
    assert prompts(first) == prompts(second) == ["one"]


def test_a_panel_opened_in_mid_answer(shell, server, outputs):
    """A panel that is opened while an answer comes shows what has come, and then all of it."""
    opened(shell)
    server.faults.append(Fault("script", script=words("It is **long** and it is whole.")))
    NotebookActions(loaded_magics()).send("Tell me")
    second = opened(shell)
    settle(second)
    assert "<strong>long</strong> and it is whole." in page(second.root)


def test_editing(shell, server, outputs):
    """An edited turn sets aside itself and what follows; one undo brings all of it back."""
    panel = opened(shell)
    for word in ("one", "two", "three"):
        type_in(panel, word)
    turn = panel.turns.turns[1]
    click(panel, "Edit", turn.root)
    assert box(panel, "draft", turn.root).value == "two"
    type_in(panel, "two, edited", turn.root)
    assert asked(server) == ["one", "two, edited"]
    assert prompts(panel) == ["one", "two, edited"]
    click(panel, "Undo")
    assert prompts(panel) == ["one", "two", "three"]


def test_leaving_an_editor(shell, server, outputs):
    """Cancel leaves the turn as it was."""
    panel = opened(shell)
    type_in(panel, "one")
    (turn,) = panel.turns.turns
    before = turn.root.children
    click(panel, "Edit", turn.root)
    assert turn.root.children != before
    click(panel, "Cancel", turn.root)
    assert turn.root.children == before
    assert len(chats(server)) == 1


def test_asking_again(shell, server, outputs):
    """Asking again sets the turn aside and sends its prompt once more, after what stood above."""
    panel = opened(shell)
    ask(shell, panel, "one")
    type_in(panel, "two")
    click(panel, "Ask again", panel.turns.turns[0].root)
    assert asked(server) == ["one"]
    assert prompts(panel) == ["one"]
    assert len(chats(server)) == 3


def test_an_edit_that_fails(shell, server, outputs):
    """If the edited turn comes to nothing, what it set aside counts again, and its prompt stays on screen."""
    panel = opened(shell)
    type_in(panel, "one")
    type_in(panel, "two")
    server.faults.append(Fault("error_first"))
    first = panel.turns.turns[0]
    click(panel, "Edit", first.root)
    type_in(panel, "one, edited", first.root)
    assert prompts(panel) == ["one", "two", "one, edited"]
    assert "failed" in page(panel.turns.turns[-1].root)
    click(panel, "Ask again", panel.turns.turns[-1].root)
    assert prompts(panel) == ["one", "two", "one, edited"]
    assert asked(server) == ["one", "two", "one, edited"]


def test_stop(shell, server, outputs):
    """Stop in the panel ends the answer and keeps its text."""
    panel = opened(shell)
    server.faults.append(Fault("silence", after=1))
    NotebookActions(loaded_magics()).send("one")
    session = loaded_magics().session

    async def begun():
        while not (session.last and session.last.text_parts and panel.turns.turns and not panel.due):  # noqa: ASYNC110
            await asyncio.sleep(0)

    session.loop_thread.run(begun())
    click(panel, "Stop")
    (turn,) = session.conversation().turns
    assert turn.state == "stopped"
    assert "stopped" in page(panel.root)


def test_the_draft_is_never_written(shell, server, outputs):
    """The kernel never writes to the box that is written in, nor to any trait of it: the page would lose keys."""
    panel = opened(shell)
    written = []
    box(panel, "draft").observe(written.append)
    box(panel, "outbox").observe(lambda change: written.append("outbox") if change["name"] != "value" else None)
    type_in(panel, "one")
    type_in(panel, "one")
    type_in(panel, "  \n ")
    assert prompts(panel) == ["one", "one"]
    assert written == []


def test_changes_that_overtake_each_other(shell, server, outputs):
    """What a page could not tell one by one comes together; each message is sent once, and all are confirmed."""
    panel = opened(shell)
    box(panel, "outbox").value = json.dumps([["a", "one"]])
    box(panel, "outbox").value = json.dumps([["a", "one"], ["b", "two\u2028"], ["c", "three"]])
    box(panel, "outbox").value = "nonsense"
    settle(panel)
    assert prompts(panel) == ["one", "two\u2028", "three"]
    assert 'title="c"' in page(panel.root)


def test_without_the_snippet(shell, server, outputs):
    """Where no script runs, the button sends the draft and empties it."""
    panel = opened(shell)
    box(panel, "draft").value = "one\n  two"
    click(panel, "Send")
    assert prompts(panel) == ["one\n  two"]
    assert box(panel, "draft").value == ""


def test_a_server_that_is_gone(shell, server, outputs):
    """A prompt that could not be sent stays, with the reason, until it goes well."""
    panel = opened(shell)
    server.stop()
    type_in(panel, "one")
    assert prompts(panel) == ["one"]
    assert "No Ollama server" in page(panel.turns.box)
    assert loaded_magics().session.conversation().turns == ()


def test_a_conversation_whose_name_begins_with_a_dash(shell, server, outputs):
    """The menu continues in a conversation whatever its name looks like."""
    panel = opened(shell)
    for name in ("-x", "--", "a 'b'", "main"):
        panel._actions.switch(name)
        assert loaded_magics().session.current == name


def test_a_fault_of_our_own(shell, server, outputs, monkeypatch, caplog):
    """A fault behind a button is one line in the panel; what is sent next goes well."""
    panel = opened(shell)

    def undo(actions):
        raise ZeroDivisionError("of all things")

    monkeypatch.setattr(NotebookActions, "undo", undo)
    click(panel, "Undo")
    assert "ollama_magic itself failed (ZeroDivisionError: of all things)" in panel.notice.text
    type_in(panel, "one")
    assert panel.notice.text == ""
    assert asked(server) == ["one"]


def test_what_was_typed_is_text(shell, server, outputs):
    """A prompt is shown as it was typed: it is no HTML, no Markdown, no TeX."""
    panel = opened(shell)
    type_in(panel, '<img src=x onerror="alert(1)"> **two** $x^2$')
    shown = page(panel.turns.turns[0].root)
    assert "<img" not in shown
    assert "&lt;img src=x" in shown
    assert "**two** $x^2$" in shown
    assert "mathjax_ignore" in shown


def many(session, count):
    """A conversation of so many turns, as the store would bring it back."""
    for number in range(1, count + 1):
        session.journal.add([a_turn(f"question {number}", model="demo:latest")])


def test_json_is_shown_as_json(shell, server, outputs):
    """What was asked for as JSON is code, and no Markdown: live, settled, and in the transcript."""
    panel = opened(shell)
    shell.run_cell("%chat -f json Some JSON, please.")
    settle(panel)
    later = opened(shell)
    later.close()
    for html in (page(panel.turns.box), page(later.turns.turns[0].root), transcript_in(outputs)[HTML]):
        assert "You said: **Some JSON, please.**" in re.sub("<[^>]*>", "", html)
        assert "class=highlight" in html


def test_records_are_shown_as_a_table(shell, server, outputs):
    """A typed answer is the same table in the panel that it is under its cell."""
    turn = a_turn("Cities?", '[{"name": "Lima", "n": 1}]', model="demo:latest", format={"type": "array"})
    loaded_magics().session.journal.add([turn])
    shown = page(opened(shell).turns.turns[0].root)
    assert "<table><thead><tr><th>" in shown
    assert "Lima" in shown


def test_only_what_is_near_the_end_is_built(shell, server, outputs):
    """Of many turns the last are built; «earlier turns» brings more, above those that are there."""
    many(loaded_magics().session, 500)
    panel = opened(shell)
    assert prompts(panel) == [f"question {n}" for n in range(501 - PORTION, 501)]
    kept = panel.turns.turns
    click(panel, f"{500 - PORTION} earlier turns")
    assert prompts(panel)[0] == f"question {501 - 2 * PORTION}"
    assert panel.turns.turns[PORTION:] == kept
    type_in(panel, "and now?")
    assert prompts(panel)[-1] == "and now?"
    assert len(prompts(panel)) == 2 * PORTION + 1


def test_a_long_session_keeps_few_widgets(shell, server, outputs):
    """However many turns a panel sees, those that are built stay few, and old answers take one widget each."""
    panel = opened(shell)
    for number in range(LIVE + 3):
        type_in(panel, f"question {number}")
    assert [turn.live for turn in panel.turns.turns] == [False] * 3 + [True] * LIVE
    assert page(panel.turns.box).count("You said:") == LIVE + 3
    many(loaded_magics().session, LIMIT * 2)
    panel.wake()
    settle(panel)
    assert len(panel.turns.turns) <= LIMIT


def test_menus(shell, server, outputs):
    """The menus offer conversations and models, follow the cells, and change them."""
    panel = opened(shell)
    type_in(panel, "one")
    talks, models = found(panel.root, "menu")
    click(panel, "New")
    assert talks.value == "chat 2"
    assert prompts(panel) == []
    type_in(panel, "two")
    assert asked(server) == ["two"]
    talks.value = "main"
    settle(panel)
    assert prompts(panel) == ["one"]
    shell.run_cell("%ollama switch 'chat 2'".replace("'", ""))
    settle(panel)
    assert talks.value == "chat 2"
    names = [value for _, value in models.options]
    assert names[0] == ""
    assert len(names) > 1
    models.value = names[-1]
    settle(panel)
    assert loaded_magics().session.conversation().setting("model") == names[-1]
    shell.run_cell("%ollama unset model")
    settle(panel)
    assert models.value == ""


def test_the_meter(shell, server, outputs):
    """The meter tells the tokens that the conversation takes, and of how many where that is known."""
    panel = opened(shell)
    assert 'role="meter"' not in page(panel.root)
    shell.run_cell("%ollama set num_ctx 4096")
    type_in(panel, "one")
    assert 'role="meter"' in page(panel.root)
    assert "4,096" in page(panel.root)


def test_an_undo_of_nothing_is_told(shell, server, outputs):
    """What came of an act stands above the input."""
    panel = opened(shell)
    click(panel, "Undo")
    assert panel.notice.text == "Nothing to undo."
    type_in(panel, "one")
    assert panel.notice.text == ""


def test_two_outputs(shell, server, outputs):
    """The widget is the first output and the transcript the second, hidden by a style that lives in the widget.

    The outputs into which it grows have no data.
    """
    panel = opened(shell)
    (_, widget, _), (_, transcript, metadata), *others = outputs
    assert [bundle for _, bundle, _ in others] == [{}] * (OUTPUTS - 1)
    assert widget[WIDGET]["model_id"] == panel.root.model_id
    assert metadata["ollama_magic"]["conversation"] is None
    (name,) = re.findall(r"ollama-magic-transcript-[\w-]+", transcript[HTML])
    assert f".{name}" in page(panel.root)
    assert f"{name}-panel" in panel.root._dom_classes


def test_closing_leaves_the_transcript(shell, server, outputs):
    """A closed panel leaves nothing but the transcript, which is up to date."""
    panel = opened(shell)
    type_in(panel, "one")
    root = panel.root
    click(panel, "×")
    first, second = outputs[0][0], outputs[1][0]
    newest = {display_id: bundle for display_id, bundle, _ in outputs}
    assert newest[first] == {HTML: "", TEXT: ""}
    assert "> one\n\nYou said: **one**" in newest[second][TEXT]
    assert root.comm is None
    assert panel.closed


def test_closing_in_mid_answer(shell, server, outputs):
    """A panel that is closed in mid-answer leaves a transcript that says so, and the whole answer once it has come."""
    panel = opened(shell)
    released = threading.Event()
    server.state.answers = lambda _: held("It is long, and it is whole.", released)
    NotebookActions(loaded_magics()).send("one")
    session = loaded_magics().session

    async def begun():
        while not (session.last and session.last.text_parts and panel.turns.turns):  # noqa: ASYNC110
            await asyncio.sleep(0)

    session.loop_thread.run(begun())
    panel.close()
    assert transcript_in(outputs)[TEXT].endswith("[still being answered]")
    released.set()
    settle(panel)
    assert transcript_in(outputs)[TEXT].endswith("> one\n\nIt is long, and it is whole.")
    assert "still being answered" not in transcript_in(outputs)[HTML]
    assert session.journal.listeners == []


def test_the_end_of_the_kernel_closes_the_panel(shell, server, outputs):
    """An orderly end of the session replaces the widget by nothing."""
    magics = loaded_magics()
    chat = ChatPanel()
    magics.display = "widget"
    panel = opened(shell)
    magics.session.owned_resources["panel"] = panel
    shell.run_line_magic("unload_ext", "ollama_magic")
    assert panel.closed
    assert outputs[-1][1] == {HTML: "", TEXT: ""}
    assert repr(chat).startswith("<ChatPanel")
    shell.run_line_magic("load_ext", "ollama_magic")


def test_where_there_are_no_widgets(shell, server, outputs):
    """Where answers are not shown in widgets there is the transcript alone, and it follows the conversation."""
    panel = opened(shell, widgets=False)
    ask(shell, panel, "one")
    panel.close()
    assert all(WIDGET not in bundle for _, bundle, _ in outputs)
    assert "You said: <strong>one</strong>" in outputs[-1][1][HTML]


def test_a_transcript_is_of_bearable_size(shell, server, outputs):
    """A transcript holds the newest turns that fit, and says how many there are."""
    panel = opened(shell)
    type_in(panel, "one")
    (turn,) = loaded_magics().session.conversation().turns
    long = replace(turn, text="word " * 20_000)
    outputs.clear()
    Transcript("cell/1").open("main", [replace(long, number=number) for number in range(10)])
    assert sum(len(text) for _, bundle, _ in outputs for text in bundle.values()) < TRANSCRIPT_LIMIT * 1.2
    bundle = outputs[0][1]
    assert "main: 10 turns; the last 1 are shown" in bundle[TEXT] or "the last" in bundle[TEXT]


def test_a_kernel_that_hears_nothing_while_busy(shell, server, outputs, monkeypatch):
    """Where the kernel hears nothing while a cell blocks, the panel says that it waits for the cell, and until when."""
    monkeypatch.setattr(panel_room, "BUSY_S", 0)
    panel = opened(shell)
    shell.events.trigger("pre_run_cell", None)

    async def told():
        while not panel.notice.text:  # noqa: ASYNC110
            await asyncio.sleep(0)

    loaded_magics().session.loop_thread.run(told())
    assert panel.notice.text.startswith("Waiting for the cell")
    shell.events.trigger("post_run_cell", None)
    assert panel.notice.text == ""


def test_a_panel_without_the_extension(shell):
    """Without the extension a panel says what to run first."""
    with pytest.raises(Exception, match="load_ext ollama_magic"):
        ChatPanel()


def test_in_a_terminal(shell, server, capsys):
    """Where nothing but text can be shown, the command prints the conversation."""
    shell.run_cell("%%chat\none")
    capsys.readouterr()
    shell.run_cell("%ollama panel")
    assert "You said: **one**" in capsys.readouterr().out


def test_a_cell_that_runs_again(shell, server, outputs, monkeypatch):
    """When its cell runs again, the panel of the run before is closed; a second one in the same run is not."""
    magics = loaded_magics()
    magics.display = "widget"
    monkeypatch.setattr("ollama_magic.display.views.in_terminal", lambda shell: False)
    runs = iter(["r1", "r1", "r2"])
    monkeypatch.setattr(magics.cell, "origin", lambda: Origin("c7", next(runs)))
    slots = iter(["c7/1", "c7/2", "c7/1"])
    monkeypatch.setattr(magics.cell, "next_slot", lambda: next(slots))
    chat = ChatPanel()
    for _ in range(3):
        chat._ipython_display_()
    assert [panel.closed for panel in chat._open] == [True, True, False]
    settle(chat._open[-1])
    chat.close()


def test_answers_of_several_models(shell, server, outputs):
    """A turn with alternatives has a button for each of them; Keep makes the shown one the remembered one."""
    other = a_turn("Hi", "From **b**.", model="b", column=2)
    turn = replace(a_turn("Hi", "From **a**.", model="a", column=1), alternatives=(other,))
    session = loaded_magics().session
    session.conversation().add([turn])
    panel = opened(shell)
    (shown,) = panel.turns.turns
    assert "From <strong>a</strong>." in page(shown.root)
    assert "From <strong>b</strong>." not in page(shown.root)
    assert button(shown.root, "Keep") is None
    click(panel, "b", shown.root)
    assert "From <strong>b</strong>." in page(shown.root)
    click(panel, "Keep", shown.root)
    assert [one.model for one in session.conversation().turns] == ["b"]
    (shown,) = panel.turns.turns
    assert "From <strong>b</strong>." in page(shown.root)
    assert button(shown.root, "Keep") is None
    click(panel, "Undo")
    assert [one.model for one in session.conversation().turns] == ["a"]
    panel._copy()
    transcript = transcript_in(outputs)
    assert "beside it: b" in transcript["text/html"]
    assert transcript["text/plain"].endswith("From **a**.\n\n## beside it: b\n\nFrom **b**.")


def test_columns_in_mid_answer(shell, server, outputs):
    """While several models answer a cell the panel shows the first answer, and the others when all have ended."""
    release = threading.Event()

    def slow(_):
        release.wait(5)
        yield "late"

    panel = opened(shell)
    session = loaded_magics().session
    with ScriptedServer(answers=slow) as other:
        shell.run_cell(f"%%chat -m demo -b --host {server.url} --host {other.url}\nHi")
        first, second = session.groups[-1].replies
        urls = (server.url, other.url)
        while first.state == "running":
            time.sleep(0.01)
        session.loop_thread.run(panel._first_look())
        assert second.state == "running"
        assert prompts(panel) == ["Hi"]
        (shown,) = panel.turns.turns
        assert not found(shown.root, "tabs")
        release.set()
        settle(panel)
    assert prompts(panel) == ["Hi"]
    (tabs,) = found(panel.turns.turns[0].root, "tabs")
    assert [one.description for one in tabs.children] == [f"demo on {url}" for url in urls]
