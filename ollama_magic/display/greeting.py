"""The greeting at loading, in a slot that is emptied when the first turn settles."""

from __future__ import annotations

import secrets
from typing import Any


class Greeting:
    """One line below `%load_ext`; `always` opens the slot for later lines, `text` prints instead."""

    def __init__(self, *, text: bool, always: bool) -> None:
        self._text = text
        self._always = always
        self._display_id = secrets.token_hex(16)
        self._open = False
        self._said = ""

    def open(self, line: str) -> None:
        """Show the line in the cell that loads the extension."""
        if not line and not self._always:
            return
        if self._text:
            from ollama_magic.display.stdout import write
            from ollama_magic.display.tables import notice

            write(notice(line).text + "\n")
            return
        from IPython import display

        self._open, self._said = True, line
        publish: Any = display.display
        publish(self._bundle(line), raw=True, display_id=self._display_id)

    def say(self, line: str) -> None:
        """Replace the line, from any thread."""
        if self._open and line != self._said:
            from IPython import display

            self._said = line
            publish: Any = display.update_display
            publish(self._bundle(line), raw=True, display_id=self._display_id)

    def empty(self) -> None:
        """Remove the line."""
        if self._open:
            self.say("")
            self._open = False

    @staticmethod
    def _bundle(line: str) -> dict[str, str]:
        if not line:
            return {"text/html": "", "text/plain": ""}
        from ollama_magic.display.tables import notice

        return notice(line)._repr_mimebundle_()
