"""The static transcript of a panel in the notebook file, which the open panel hides, and the label of its widget."""

from __future__ import annotations

import re
import secrets
import threading
from contextlib import suppress
from html import escape
from typing import TYPE_CHECKING, Any

from ollama_magic.conversation.reply import Reply
from ollama_magic.display.host import current_shell
from ollama_magic.display.settled import IGNORE_TEX, plain_text, settled_html
from ollama_magic.display.slot import settled_of
from ollama_magic.display.vscode import style_for_host
from ollama_magic.foreign import one_line, repaired, visible, without_controls
from ollama_magic.panel.transcript_places import SEALED, Places, placed
from ollama_magic.turns.turn_value import RUNNING
from ollama_magic.turns.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ollama_magic.conversation.conversation import Conversation
    from ollama_magic.conversation.session import Session
    from ollama_magic.turns.turn_value import Turn

    Bundle = dict[str, str]
    _Part = tuple[str, str]  # as HTML, as Markdown

OUTPUTS = SEALED + 2  # the first has the line about all turns
OPEN, CLOSED = "running", "closed"  # the panel's widget, as the label of its output says
NO_WIDGET = {"text/html": "", "text/plain": ""}
NOTHING = "This conversation has no turns yet."
GROWS = "still being answered"  # below what has come of an answer, also where the kernel dies before its end


class Transcript:
    """The outputs below the widget of a panel's cell, of which only those that changed are sent again.

    A cell that has ended gets no more outputs, so all of them are opened with it. An output without turns has no data,
    and no front end gives it any room.
    """

    def __init__(self, slot: str) -> None:
        self.name = "ollama-magic-transcript-" + re.sub(r"[^A-Za-z0-9]+", "-", slot)
        self._outputs = [_Output(name) for name in (slot, *(f"{slot}.{nth}" for nth in range(2, OUTPUTS + 1)))]
        self._places = Places()
        self._known: dict[int, tuple[object, _Part]] = {}
        self._lock = threading.Lock()

    def open(self, name: str, turns: Sequence[Turn], newest: int = 0) -> None:
        """Show it in the running cell; `newest` turns are enough for now, 0 stands for all."""
        with self._lock:
            for output, bundle in zip(self._outputs, self._bundles(name, turns, newest), strict=True):
                output.open(name, bundle)
            self._places = Places()  # the next update places all turns

    def update(self, name: str, turns: Sequence[Turn]) -> None:
        """Update it, from any thread."""
        with self._lock:
            for output, bundle in zip(self._outputs, self._bundles(name, turns), strict=True):
                output.update(name, bundle)

    def finish(self, session: Session, conversation: Conversation) -> None:
        """Update it for the last time, and once more when what is being answered has ended."""
        self.update(conversation.name, conversation.turns)
        if not answering(session, conversation):
            return

        def once_ended() -> None:
            if not answering(session, conversation):
                with suppress(ValueError):  # another thread was faster
                    session.journal.listeners.remove(once_ended)
                self.update(conversation.name, conversation.turns)

        session.journal.listeners.append(once_ended)

    def _bundles(self, name: str, turns: Sequence[Turn], newest: int = 0) -> list[Bundle]:
        """Return what each output holds. What fits in one output is in the first, below the line about all turns."""
        by_number = {turn.number: turn for turn in turns[-newest:]}
        places = placed([*by_number], lambda number: sum(map(len, self._part(by_number[number]))), self._places)
        parts = {number: self._part(by_number[number]) for number in places.shown}
        self._places, self._known = places, {number: self._known[number] for number in parts}
        groups = [(), *places.sealed, places.newest] if any(places.sealed) else [places.newest, *[()] * (OUTPUTS - 1)]
        first, *others = [[parts[number] for number in group] for group in groups]
        lead = _lead(name, len(turns), len(parts))
        around = f"<p><small>{escape(lead)}</small></p>", lead
        return [self._bundle([around, *first], style_for_host()), *map(self._bundle, others)]

    def _bundle(self, parts: Iterable[_Part], style: str = "") -> Bundle:
        found = [*parts]
        if not found:
            return {}
        inner = "".join(html for html, _ in found)
        html = f'{style}<div class="ollama-magic-transcript {self.name} {IGNORE_TEX}">{inner}</div>'
        return {"text/html": html, "text/plain": "\n\n".join(text for _, text in found)}

    def _part(self, turn: Turn) -> _Part:
        state = [(one.number, one.state, len(one.text)) for one in (turn, *turn.alternatives)]
        known = self._known.get(turn.number)
        if known is None or known[0] != state:
            known = self._known[turn.number] = state, _part_of(turn)
        return known[1]


def answering(session: Session, conversation: Conversation) -> bool:
    """Whether one of the conversation's turns is being answered."""
    return any(one.reply.conversation == conversation.name for one in session.running())


def widget_label(shell: Any, slot: str, state: str) -> dict[str, Any]:
    """Return the metadata of the output with a panel's widget, and note for later pages if it is closed."""
    name = f"{slot}.0"
    settled_of(shell).pop(name, None)
    if state == CLOSED:
        settled_of(shell)[name] = dict(NO_WIDGET), {"state": CLOSED}
    return {"ollama_magic": {"slot": name, "conversation": None, "state": state}}


class _Output:
    """One output, and what it shows."""

    def __init__(self, slot: str) -> None:
        self._slot = slot
        self._display_id = secrets.token_hex(16)
        self._shown: tuple[str, Bundle] = "", {}

    def open(self, name: str, bundle: Bundle) -> None:
        """Show it in the running cell."""
        self._publish("display", name, bundle)
        self._remember()

    def update(self, name: str, bundle: Bundle) -> None:
        """Send it again if it has changed."""
        if (name, bundle) != self._shown:
            self._publish("update_display", name, bundle)
        self._remember()

    def _publish(self, how: str, name: str, bundle: Bundle) -> None:
        from IPython import display

        self._shown = name, bundle
        # No conversation, so that `%ollama open .` does not read it as an answer.
        labels = {"slot": self._slot, "conversation": None, "panel": name}
        publish: Any = getattr(display, how)
        publish(bundle, raw=True, metadata={"ollama_magic": labels}, display_id=self._display_id)

    def _remember(self) -> None:
        """Keep what it shows for a reloaded page, as long as what the other outputs show."""
        name, bundle = self._shown
        settled = settled_of(current_shell())
        settled.pop(self._slot, None)
        settled[self._slot] = dict(bundle), {"panel": name}


def _part_of(turn: Turn) -> _Part:
    """Return a turn as HTML and as Markdown."""
    names = ", ".join(visible(one_line(one.name)) for one in turn.attachments)
    attached = f"<p><small>attached {escape(names)}</small></p>" if names else ""
    html = f"<blockquote>{_lines(turn.prompt)}{attached}</blockquote>{settled_html(Reply.of(turn), 'brief')}"
    html += f"<p><small>{GROWS}</small></p>" if turn.state == RUNNING else ""
    asked = "\n".join(f"> {line}" for line in without_controls(repaired(turn.prompt)).splitlines())
    asked += f"\n> [attached {names}]" if names else ""
    for other in map(Reply.of, turn.alternatives):
        name = f"beside it: {visible(one_line(other.model))}"
        folded = f"<summary><small>{escape(name)}</small></summary>{settled_html(other, 'brief')}"
        html += f"<details>{folded}</details>"
    return html, f"{asked}\n\n{_answers(turn)}"


def _answers(turn: Turn) -> str:
    """Return the answer, and those of other models below a heading each."""
    others = [f"## beside it: {one_line(one.model)}\n\n{plain_text(Reply.of(one))}" for one in turn.alternatives]
    growing = [f"[{GROWS}]"] if turn.state == RUNNING else []
    return "\n\n".join([plain_text(Reply.of(turn)), *growing, *others])


def _lead(name: str, count: int, shown: int) -> str:
    if not count:
        return NOTHING
    turns = counted(count, "turn")
    rest = f"; the last {shown:,} are shown, and `%ollama save FILE` writes all" if shown < count else ""
    return f"{one_line(name)}: {turns}{rest}"


def _lines(prompt: str) -> str:
    """Return a prompt as HTML with its lines and indentation, without styles."""
    lines = escape(visible(repaired(prompt))).split("\n")
    return "<p>" + "<br>".join(re.sub(r"^ +| {2,}", lambda m: "&nbsp;" * len(m[0]), line) for line in lines) + "</p>"
