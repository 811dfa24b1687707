"""What a panel leaves in the file: the conversation as one static bundle, which the widget hides while it lives."""

from __future__ import annotations

import re
import secrets
from html import escape
from typing import TYPE_CHECKING, Any

from ollama_magic.conversation.remembered import reply_of
from ollama_magic.display.host import current_shell
from ollama_magic.display.settled import IGNORE_TEX, plain_text, settled_html
from ollama_magic.display.slot import settled_of
from ollama_magic.foreign import one_line, visible, without_controls

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ollama_magic.conversation.remembered import Turn

# A server cuts a notebook's outputs off at a megabyte a second; older turns than fit are counted and not shown.
MOST = 250_000
NOTHING = "Nothing has been said in this panel yet."


class Transcript:
    """The second output of a panel's cell."""

    def __init__(self, slot: str) -> None:
        self.name = "ollama-magic-transcript-" + re.sub(r"[^A-Za-z0-9]+", "-", slot)
        self._slot = slot
        self._display_id = secrets.token_hex(16)
        self._known: dict[tuple[int, str, int], tuple[str, str]] = {}
        self._shown: dict[str, str] = {}

    @property
    def size(self) -> int:
        """Characters of what is shown."""
        return sum(map(len, self._shown.values()))

    def open(self, name: str, turns: Sequence[Turn]) -> None:
        """Show it in the running cell."""
        self._publish("display", name, self.bundle(name, turns))

    def update(self, name: str, turns: Sequence[Turn]) -> None:
        """Show what it is now, from any thread."""
        bundle = self.bundle(name, turns)
        if bundle != self._shown:
            self._publish("update_display", name, bundle)

    def bundle(self, name: str, turns: Sequence[Turn]) -> dict[str, str]:
        """HTML of host classes and native elements, and Markdown."""
        shown, left = list[tuple[str, str]](), MOST
        for turn in reversed(turns):
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
            "text/html": f'<div class="{around}"><p><small>{escape(lead)}</small></p>{html}</div>',
            "text/plain": text,
        }

    def _part(self, turn: Turn) -> tuple[str, str]:
        key = turn.number, turn.state, len(turn.text)
        if key not in self._known:
            reply = reply_of(turn)
            html = f"<blockquote>{_lines(turn.prompt)}</blockquote>{settled_html(reply, 'brief')}"
            asked = "\n".join(f"> {line}" for line in without_controls(turn.prompt).splitlines())
            self._known[key] = html, f"{asked}\n\n{plain_text(reply)}"
        return self._known[key]

    def _publish(self, how: str, name: str, bundle: dict[str, str]) -> None:
        from IPython import display

        self._shown = bundle
        # No conversation: it is no answer that `%ollama open .` would read.
        labels = {"slot": self._slot, "conversation": None, "panel": name}
        settled = settled_of(current_shell())
        settled.pop(self._slot, None)
        settled[self._slot] = dict(bundle), {"panel": name}  # for a page that was loaded anew
        publish: Any = getattr(display, how)
        publish(bundle, raw=True, metadata={"ollama_magic": labels}, display_id=self._display_id)


def _lead(name: str, count: int, shown: int) -> str:
    if not count:
        return NOTHING
    turns = "1 turn" if count == 1 else f"{count:,} turns"
    rest = f"; the last {shown:,} are shown, and `%ollama save FILE` writes all" if shown < count else ""
    return f"{one_line(name)}: {turns}{rest}"


def _lines(prompt: str) -> str:
    """A prompt with its lines and their indentation, without any style."""
    lines = escape(visible(prompt)).split("\n")
    return "<p>" + "<br>".join(re.sub(r"^ +| {2,}", lambda m: "&nbsp;" * len(m[0]), line) for line in lines) + "</p>"
