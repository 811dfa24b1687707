"""Decompresses bodies up to a limit, so that no answer can fill the memory."""

from __future__ import annotations

import zlib

_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
_PIECE = 1 << 20


class TooMuch(Exception):
    """The body is larger than the limit."""


class Unreadable(Exception):
    """The body is not compressed as its header says."""


class Unpacker:
    """Counts a body's bytes and decompresses them if the server compressed them unasked."""

    def __init__(self, encoding: str, limit: int) -> None:
        self._left = limit
        self._packed = None if encoding in ("", "identity") else _unpacker(encoding)

    def __call__(self, data: bytes) -> bytes:
        """Return the plain bytes; raise TooMuch above the limit, Unreadable for broken compression."""
        plain = data if self._packed is None else self._unpacked(data)
        self._left -= len(plain)
        if self._left < 0:
            raise TooMuch
        return plain

    def _unpacked(self, data: bytes) -> bytes:
        assert self._packed is not None
        pieces: list[bytes] = []
        size = 0
        try:
            while data and size <= self._left:
                pieces.append(self._packed.decompress(data, _PIECE))
                size += len(pieces[-1])
                data = self._packed.unconsumed_tail
        except zlib.error:
            raise Unreadable from None
        return b"".join(pieces)


def _unpacker(encoding: str) -> zlib._Decompress:
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise Unreadable
    return zlib.decompressobj(_GZIP_OR_ZLIB)
