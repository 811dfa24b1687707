"""The static transcript of a panel in the notebook file, which the open panel hides."""

from __future__ import annotations

import re
import secrets
from html import escape
from typing import TYPE_CHECKING, Any

from ollama_magic.conversation.reply import Reply
from ollama_magic.display.host import current_shell
from ollama_magic.display.settled import IGNORE_TEX, plain_text, settled_html
from ollama_magic.display.slot import settled_of
from ollama_magic.display.vscode import style_for_host
from ollama_magic.foreign import one_line, repaired, visible, without_controls
from ollama_magic.turns.wording import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ollama_magic.turns.turn_value import Turn

# Servers limit outputs to a megabyte per second; older turns than fit are counted but not shown.
LIMIT = 250_000
NOTHING = "This conversation has no turns yet."


class Transcript:
    """The second output of a panel's cell."""

    def __init__(self, slot: str) -> None:
        self.name = "ollama-magic-transcript-" + re.sub(r"[^A-Za-z0-9]+", "-", slot)
        self._slot = slot
        self._display_id = secrets.token_hex(16)
        self._known: dict[tuple[tuple[int, str, int], ...], tuple[str, str]] = {}
        self._shown: dict[str, str] = {}

    @property
    def size(self) -> int:
        """The number of characters shown."""
        return sum(map(len, self._shown.values()))

    def open(self, name: str, turns: Sequence[Turn], newest: int = 0) -> None:
        """Show it in the running cell; `newest` turns are enough for now, 0 stands for all."""
        self._publish("display", name, self.bundle(name, turns, newest))

    def update(self, name: str, turns: Sequence[Turn]) -> None:
        """Update it, from any thread."""
        bundle = self.bundle(name, turns)
        if bundle != self._shown:
            self._publish("update_display", name, bundle)

    def bundle(self, name: str, turns: Sequence[Turn], newest: int = 0) -> dict[str, str]:
        """Return the turns as HTML and as Markdown."""
        shown, left = list[tuple[str, str]](), LIMIT
        for turn in reversed(turns[-newest:]):
            part = self._part(turn)
            left -= sum(map(len, part))
            if left < 0 and shown:
                break
            shown.append(part)
        lead = _lead(name, len(turns), len(shown))
        html = "".join(html for html, _ in reversed(shown))
        text = "\n\n".join([lead, *(text for _, text in reversed(shown))])
        around = f"ollama-magic-transcript {self.name} {IGNORE_TEX}"
        return {
            "text/html": f'{style_for_host()}<div class="{around}"><p><small>{escape(lead)}</small></p>{html}</div>',
            "text/plain": text,
        }

    def _part(self, turn: Turn) -> tuple[str, str]:
        key = tuple((one.number, one.state, len(one.text)) for one in (turn, *turn.alternatives))
        if key not in self._known:
            reply = Reply.of(turn)
            names = ", ".join(visible(one_line(one.name)) for one in turn.attachments)
            attached = f"<p><small>attached {escape(names)}</small></p>" if names else ""
            html = f"<blockquote>{_lines(turn.prompt)}{attached}</blockquote>{settled_html(reply, 'brief')}"
            asked = "\n".join(f"> {line}" for line in without_controls(repaired(turn.prompt)).splitlines())
            asked += f"\n> [attached {names}]" if names else ""
            for other in map(Reply.of, turn.alternatives):
                name = f"beside it: {visible(one_line(other.model))}"
                folded = f"<summary><small>{escape(name)}</small></summary>{settled_html(other, 'brief')}"
                html += f"<details>{folded}</details>"
            self._known[key] = html, f"{asked}\n\n{_answers(turn)}"
        return self._known[key]

    def _publish(self, how: str, name: str, bundle: dict[str, str]) -> None:
        from IPython import display

        self._shown = bundle
        # No conversation, so that `%ollama open .` does not read it as an answer.
        labels = {"slot": self._slot, "conversation": None, "panel": name}
        settled = settled_of(current_shell())
        settled.pop(self._slot, None)
        settled[self._slot] = dict(bundle), {"panel": name}  # for a reloaded page
        publish: Any = getattr(display, how)
        publish(bundle, raw=True, metadata={"ollama_magic": labels}, display_id=self._display_id)


def _answers(turn: Turn) -> str:
    """Return the answer, and those of other models below a heading each."""
    others = [f"## beside it: {one_line(one.model)}\n\n{plain_text(Reply.of(one))}" for one in turn.alternatives]
    return "\n\n".join([plain_text(Reply.of(turn)), *others])


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
