"""What goes along with the next prompt of a panel: the *Attach* button, and a row of what is attached so far."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ollama_magic.attachments.reading import FILE_BYTES, Limits, megabytes
from ollama_magic.attachments.source_names import MOST
from ollama_magic.attachments.sources import read_source
from ollama_magic.errors import InputError, OllamaMagicError
from ollama_magic.foreign import one_line
from ollama_magic.panel.thumbnails import thumbnails_html

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ollama_magic.display.widget_factory import WidgetFactory
    from ollama_magic.turns.attachment import Attachment

ATTACH = "Attach images, tables, texts, PDF or Word files; or drop or paste them into the box"


class AttachmentTray:
    """The attachments of the next prompt; files may come from any thread.

    Args:
        factory: Makes the widgets.
        limits: How much of each file is sent.
        mask: Hides keys in texts.
        say: Shows a line about a file that cannot be attached; empty where all is well.
    """

    def __init__(
        self,
        factory: WidgetFactory,
        limits: Callable[[], Limits],
        mask: Callable[[str], str],
        say: Callable[[str], None],
    ) -> None:
        self._factory, self._limits, self._mask, self._say = factory, limits, mask, say
        self._attached: list[Attachment] = []
        self._refused: list[str] = []  # lines about files; a later file of the same drop does not hide them
        self._lock = threading.Lock()
        self.button = factory.file_upload("Attach", ATTACH, "ollama-magic-attach")
        self.button.observe(lambda change: self._uploaded(change["new"]), "value")
        self._shown = factory.html()
        self._remove = factory.button("Remove", "Attach nothing", "ollama-magic-remove")
        self._remove.on_click(lambda _: self.take())
        self.box: Any = factory.box((), "ollama-magic-tray")

    def add(self, name: str, data: bytes | None, size: int = 0) -> None:
        """Attach a file; `data` is None for one that was too large to be passed on, or could not be read."""
        try:
            self._add(one_line(name, 120) or "a file", data, size)
        except OllamaMagicError as error:
            self._refused += [str(error)] * (str(error) not in self._refused)
            self._say(" ".join(self._refused))
        self._show()

    def take(self) -> tuple[Attachment, ...]:
        """Return what is attached, which is then no longer."""
        with self._lock:
            taken, self._attached, self._refused = tuple(self._attached), [], []
        self._show()
        return taken

    def put_back(self, taken: tuple[Attachment, ...]) -> None:
        """Attach once more what was taken for a prompt that could not be sent."""
        with self._lock:
            self._attached = [*taken, *self._attached]
        self._show()

    def _add(self, name: str, data: bytes | None, size: int) -> None:
        if data is None and size <= FILE_BYTES:
            raise InputError(f"{name} cannot be attached: it could not be read; of a folder, attach the files.")
        if data is None:
            most = megabytes(FILE_BYTES)
            raise InputError(f"{name} cannot be attached: it has {megabytes(size)}, and at most {most} are read.")
        attachment = read_source(data, name, self._limits(), mask=self._mask)
        with self._lock:
            if len(self._attached) >= MOST:
                raise InputError(f"At most {MOST} attachments go along with a prompt; send it, or remove them.")
            if attachment not in self._attached:
                self._attached.append(attachment)

    def _uploaded(self, value: Any) -> None:
        files = list(_files(value))
        if files:
            self._refused = []
            self._say("")
        for name, data in files:
            self.add(name, data)
        if files:
            with suppress(Exception):  # ipywidgets 7 has no way to empty it
                self._factory.set(self.button, "value", ())  # so that the same file can be chosen once more

    def _show(self) -> None:
        with self._lock:
            attached = list(self._attached)
        self._factory.set(self._shown, "value", thumbnails_html(attached))
        self._factory.set(self.box, "children", (self._shown, self._remove) if attached else ())


def _files(value: Any) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of what was chosen, as ipywidgets 8 or 7 has it."""
    if isinstance(value, dict):
        yield from ((str(name), bytes(file["content"])) for name, file in value.items())
    else:
        yield from ((str(file["name"]), bytes(file["content"])) for file in value)
