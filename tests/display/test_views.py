"""Which view shows an answer, text and updated HTML, and what happens when a view fails."""

from __future__ import annotations

import io
import logging
import sys
from types import SimpleNamespace

import comm
import pytest

from ollama_magic.conversation.reply import FAILED, STOPPED
from ollama_magic.display.live import LiveView
from ollama_magic.display.safe_view import DisplayFailed, SafeReplyView
from ollama_magic.display.status import status_text
from ollama_magic.display.tables import notice
from ollama_magic.display.terminal import TerminalView
from ollama_magic.display.updating import UpdatingView
from ollama_magic.display.views import mode_for, open_view
from ollama_magic.errors import ServerError
from tests.display.replies import HTML, LABELS, TEXT, WIDGET, RecordedSlot, a_reply, ended


def shell_with(cell):
    parent = {"header": {"msg_id": "1"}, "metadata": {"cellId": cell} if cell else {}}
    return SimpleNamespace(kernel=SimpleNamespace(get_parent=lambda: parent))


def nothing():
    """A stop that nobody presses."""


@pytest.mark.parametrize(
    ("setting", "shell", "mode"),
    [
        ("auto", shell_with("abc"), "widget"),
        ("auto", shell_with(None), "html"),
        ("auto", None, "text"),
        ("auto", SimpleNamespace(), "text"),
        ("auto", type("TerminalInteractiveShell", (), {})(), "text"),
        ("widget", type("TerminalInteractiveShell", (), {})(), "text"),
        ("html", shell_with("abc"), "html"),
        ("text", shell_with("abc"), "text"),
        ("widget", shell_with(None), "widget"),
    ],
)
def test_modes(setting, shell, mode):
    """Widgets where the front end names the cell, text in a terminal, HTML elsewhere, and else what is set."""
    assert mode_for(setting, shell) == mode


def test_colab(monkeypatch):
    """Colab shows widgets though it names no cell."""
    monkeypatch.setitem(sys.modules, "google.colab", SimpleNamespace())
    assert mode_for("auto", shell_with(None)) == "widget"


def streamed(reply_parts, state="complete", background=False, terminal=False, monkeypatch=None, **parts):
    out = io.StringIO()
    out.isatty = lambda: terminal
    monkeypatch.setattr(sys, "stdout", out)
    view = TerminalView(background=background)
    reply = a_reply(**parts)
    view.begin(reply, nothing)
    for part in reply_parts:
        reply.text_parts.append(part)
        view.show(reply)
    reply.state = state
    view.finish(reply)
    return out.getvalue()


def test_text_is_streamed(monkeypatch):
    """A terminal shows the text as it comes, one newline, then nothing more."""
    assert streamed(["Hel", "lo **you**", "."], monkeypatch=monkeypatch) == "Hello **you**.\n"


def test_text_is_harmless(monkeypatch):
    """Escapes do not reach the terminal; an emoji cut into pieces stays one."""
    parts = ["a\x1b[2Jb ", "👩", "\u200d", "👩", "\u200d👧", " c"]
    shown = streamed(parts, monkeypatch=monkeypatch)
    assert "\x1b" not in shown
    assert "👩\u200d👩\u200d👧 c" in shown


def test_text_ends_with_its_state(monkeypatch):
    """An answer that is not complete says so on a last line."""
    assert streamed(["Hel"], STOPPED, monkeypatch=monkeypatch) == "Hel\n\n[stopped]\n"
    gone = {"error": ServerError("gone"), "monkeypatch": monkeypatch}
    assert streamed(["Hel"], FAILED, **gone) == "Hel\n\n[failed: gone]\n"
    assert streamed([], FAILED, background=True, **gone) == "[failed: gone]\n"
    assert streamed([], FAILED, **gone) == ""


def test_thinking_in_a_terminal(monkeypatch):
    """Thinking is dimmed in a terminal, and left out where nobody watches."""
    told = {"thinking_parts": ["Hm."], "monkeypatch": monkeypatch}
    assert streamed(["Yes"], terminal=True, **told) == "\x1b[2mHm.\x1b[22m\n\nYes\n"
    assert streamed(["Yes"], **told) == "Yes\n"


def test_updated_html():
    """Without widgets the slot's HTML grows, at most twice a second, and settles as every answer does."""
    view, reply = UpdatingView(RecordedSlot()), a_reply()
    view.begin(reply, nothing)
    reply.text_parts.append("One *two*.\n\nThree")
    assert view.show(reply) >= 0.5
    assert "<em>two</em>" in view.slot.last[HTML]
    assert "Three" in view.slot.last[HTML]
    reply.text_parts.append(" four.\n\n" + "word " * 40_000)
    assert view.show(reply) > 1
    reply.state = "complete"
    view.finish(reply)
    assert view.slot.last[TEXT] == reply.text
    assert WIDGET not in view.slot.last


@pytest.mark.usefixtures("shell")
def test_a_view_that_fails_is_replaced(monkeypatch):
    """A comm that breaks in mid-answer is told once, and the answer still settles in its slot."""
    slot = RecordedSlot()
    live = LiveView(slot)
    view, reply = SafeReplyView(live, UpdatingView(slot)), a_reply()
    view.begin(reply, nothing)
    monkeypatch.setattr(comm, "create_comm", lambda **_: 1 / 0)
    reply.text_parts.append("One.\n\nTwo.\n\nThree")
    with pytest.warns(DisplayFailed, match="continues in a simpler form"):
        view.show(reply)
    view.show(reply)
    assert "Three" in slot.last[HTML]
    reply.state = "complete"
    view.finish(reply)
    assert slot.last[TEXT] == reply.text


def test_no_comm_at_all(monkeypatch):
    """Where widgets cannot even be made, the answer begins as HTML."""
    slot = RecordedSlot()
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    view = SafeReplyView(LiveView(slot), UpdatingView(slot))
    with pytest.warns(DisplayFailed):
        view.begin(a_reply(), nothing)
    assert HTML in slot.last


def test_the_last_view_may_fail_too():
    """When nothing can be shown, the turn still goes on to its end."""
    view = SafeReplyView(SimpleNamespace(finish=lambda _: 1 / 0))
    with pytest.warns(DisplayFailed, match="saved"):
        view.finish(ended("a"))
    assert view.show(a_reply()) > 0


def test_slots_in_a_shell(shell, monkeypatch):
    """A slot publishes through the shell: once as a display, then as updates of the same id, each with its metadata."""
    told = []
    monkeypatch.setattr(shell.display_pub, "publish", lambda **message: told.append(message))
    view, reply = open_view("html", LABELS), a_reply("Hi.")
    view.begin(reply, nothing)
    reply.state = "complete"
    view.finish(reply)
    assert [message.get("update", False) for message in told] == [False, True]
    assert len({message["transient"]["display_id"] for message in told}) == 1
    assert [message["metadata"]["ollama_magic"]["state"] for message in told] == ["running", "complete"]
    assert told[1]["data"][TEXT] == "Hi."


@pytest.mark.parametrize(
    ("seconds", "parts", "line"),
    [
        (1, {}, "gemma3:1b · …"),
        (12, {}, "gemma3:1b · loading or thinking about it… 12 s"),
        (12, {"model": ""}, "loading or thinking about it… 12 s"),
        (3, {"waiting": "waiting for the turn before"}, "gemma3:1b · waiting for the turn before · 3 s"),
        (12, {"first_at": 2.0, "chunks": 340, "text_parts": ["a"]}, "gemma3:1b · 12 s · 34 tokens/s"),
        (12, {"first_at": 2.0, "chunks": 340}, "gemma3:1b · thinking · 12 s · 34 tokens/s"),
    ],
)
def test_the_status_line(seconds, parts, line):
    """The status line says what is being waited for, from 2 s on with a clock, and then how fast it comes."""
    assert status_text(a_reply(**{"started_at": 0.0, **parts}), float(seconds)) == line


def test_a_failing_view_leaves_its_traceback_in_the_log(caplog):
    """The one line says how to see more, and the log has the whole traceback of the fault."""
    view = SafeReplyView(SimpleNamespace(finish=lambda _: 1 / 0))
    with caplog.at_level(logging.ERROR, "ollama_magic.display"), pytest.warns(DisplayFailed, match="OLLAMA_MAGIC_LOG"):
        view.finish(ended("a"))
    assert "ZeroDivisionError" in caplog.text
    assert "Traceback" in caplog.text


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "latin-1"])
def test_an_output_that_cannot_show_a_letter_replaces_it(monkeypatch, encoding):
    """A pipe with an old encoding gets the answer with question marks, not a failure; so do tables and notices."""
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding=encoding))
    view, reply = TerminalView(), a_reply("caf\u00e9 \u2713 \U0001f600 end")
    view.begin(reply, nothing)
    reply.state = "complete"
    view.finish(reply)
    print(notice("a \u2713"))
    sys.stdout.flush()
    cafe = "caf?" if encoding == "ascii" else "caf\u00e9"
    assert raw.getvalue().decode(encoding).splitlines() == [f"{cafe} ? ? end", "a ?"]
