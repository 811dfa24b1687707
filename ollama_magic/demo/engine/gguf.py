"""What the header of a GGUF file says about its model; the weights themselves are not read."""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass
from math import isfinite, prod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9
_SHORT = 5  # longer arrays are left empty, as `/api/show` leaves them
_MOST_ENTRIES = 1 << 20  # of metadata and tensors; a broken header may claim any number
_FILE_TYPES = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K", 11: "Q3_K_S", 12: "Q3_K_M",
    13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S", 17: "Q5_K_M", 18: "Q6_K", 32: "BF16",
}  # fmt: skip


class NotGguf(ValueError):
    """The file is no GGUF that can be read; the text says why."""


@dataclass(frozen=True)
class GgufHeader:
    """The facts of one file. `metadata` holds scalars, texts and short arrays; a long array is an empty list."""

    metadata: dict[str, Any]
    parameters: int
    size: int  # bytes

    @property
    def architecture(self) -> str:
        """The family of the model, such as `llama`."""
        return str(self.metadata.get("general.architecture", "unknown"))

    @property
    def quantization(self) -> str:
        """How the weights are stored, such as `Q4_1`."""
        found = self.metadata.get("general.file_type")
        return _FILE_TYPES.get(found, "unknown") if isinstance(found, int) else "unknown"

    @property
    def template(self) -> str:
        """The chat template; empty if the file has none."""
        return str(self.metadata.get("tokenizer.chat_template", ""))

    def length(self, name: str) -> int:
        """A number of this architecture, such as `context_length`; 0 if the file does not say."""
        found = self.metadata.get(f"{self.architecture}.{name}", 0)
        return found if isinstance(found, int) else 0


def read_header(path: Path) -> GgufHeader:
    """Read the header of a file.

    Raises:
        NotGguf: It is no GGUF, or it is cut within its header or its weights.
        OSError: The file cannot be read.
    """
    with path.open("rb") as file:
        if file.read(4) != _MAGIC:
            raise NotGguf(f"{path.name} is no GGUF file: it does not begin with «GGUF»")
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            try:
                return _Reader(data).header()
            except (struct.error, IndexError, UnicodeDecodeError, OverflowError, RecursionError):
                raise NotGguf(f"{path.name} is a broken or incomplete GGUF file") from None
            except NotGguf as error:
                raise NotGguf(f"{path.name} {error}") from None


class _Reader:
    """Reads one value after the other."""

    def __init__(self, data: mmap.mmap) -> None:
        self.data, self.at = data, len(_MAGIC)

    def header(self) -> GgufHeader:
        version = self.number("I")
        if version not in _VERSIONS:
            raise NotGguf(f"is a GGUF file of version {version}, which is not supported")
        tensors, entries = self.number("Q"), self.number("Q")
        if max(tensors, entries) > _MOST_ENTRIES:
            raise NotGguf("is a broken GGUF file")
        metadata = {}
        for _ in range(entries):
            key = self.text()
            metadata[key] = self.value(self.number("I"))
        shapes = [self.tensor() for _ in range(tensors)]
        if shapes and self.at + max(offset for _, offset in shapes) >= len(self.data):
            raise NotGguf("is an incomplete GGUF file: its weights are cut off")
        return GgufHeader(metadata, sum(prod(shape) for shape, _ in shapes), len(self.data))

    def number(self, kind: str) -> Any:
        (found,) = struct.unpack_from(f"<{kind}", self.data, self.at)
        self.at += struct.calcsize(f"<{kind}")
        return found

    def text(self) -> str:
        return self.take(self.number("Q")).decode("utf-8", "replace")

    def take(self, length: int) -> bytes:
        end = self.at + length
        if end > len(self.data):
            raise IndexError
        found, self.at = self.data[self.at : end], end
        return found

    def value(self, kind: int) -> Any:
        if kind == _STRING:
            return self.text()
        if kind == _ARRAY:
            return self.array(self.number("I"), self.number("Q"))
        if kind not in _NUMBERS:
            raise NotGguf("is a broken GGUF file")
        found = self.number(_NUMBERS[kind])
        return found if isfinite(found) else None  # JSON has no other numbers

    def array(self, kind: int, length: int) -> list[Any]:
        if length > len(self.data):
            raise IndexError
        if kind in _NUMBERS and length > _SHORT:
            self.take(length * struct.calcsize(f"<{_NUMBERS[kind]}"))
            return []
        if kind == _STRING and length > _SHORT:
            for _ in range(length):
                self.take(self.number("Q"))
            return []
        found = [self.value(kind) for _ in range(length)]
        return found if length <= _SHORT else []

    def tensor(self) -> tuple[list[int], int]:
        """The shape of one tensor, and where it begins behind the header."""
        self.text()
        shape = [self.number("Q") for _ in range(min(self.number("I"), 8))]
        self.number("I")
        return shape, self.number("Q")
