"""Files that a page passes on: dropped on a panel, pasted or chosen; in pieces, because a page's message has 10 MB."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MOST_BYTES = 64_000_000  # of a larger file the page sends only name and size
AT_ONCE = 8  # files that may come at the same time; the oldest unfinished one is given up


@runtime_checkable
class TakesFiles(Protocol):
    """A panel of the page, known by a class of its own."""

    @property
    def name(self) -> str:
        """That class."""

    def take_file(self, name: str, data: bytes | None, size: int) -> None:
        """Take a file; `data` is None where it is too large, as `size` says, or could not be read."""


class PageFiles:
    """Puts the pieces of files together."""

    def __init__(self) -> None:
        self._pieces: dict[str, bytearray] = {}

    def receive(self, file: object, buffers: Sequence[Any], takers: Iterable[object]) -> None:
        """Add a piece; a whole file goes to the panel that it is for. What is no piece is ignored.

        Args:
            file: The JSON of the message: panel, name and size of the file, and a mark of its own.
            buffers: The bytes beside it; none for a file that is too large or that the page cannot read.
            takers: Where the panel is looked for.
        """
        if not isinstance(file, dict):
            return
        name, mark, size = (file.get(key) for key in ("name", "mark", "size"))
        if not (isinstance(name, str) and isinstance(mark, str) and isinstance(size, int)):
            return
        data = self._whole(mark, buffers, size) if buffers else None
        if buffers and data is None:
            return
        for taker in list(takers):
            if isinstance(taker, TakesFiles) and taker.name == file.get("panel"):
                taker.take_file(name, data, size)

    def _whole(self, mark: str, buffers: Sequence[Any], size: int) -> bytes | None:
        """Return a file whose last piece this is, else None."""
        data = self._pieces.pop(mark, bytearray())
        for buffer in buffers:
            data += buffer
        if len(data) >= size:
            return bytes(data)
        if len(data) <= MOST_BYTES:
            self._pieces[mark] = data
        for old in list(self._pieces)[:-AT_ONCE]:
            del self._pieces[old]
        return None
