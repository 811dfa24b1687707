"""What is read from a GGUF file, and what is no GGUF file."""

from __future__ import annotations

import shutil
import struct
from typing import TYPE_CHECKING

import pytest

from ollama_magic.demo.engine.gguf import NotGguf, read_header

if TYPE_CHECKING:
    from pathlib import Path


def test_the_facts_of_the_weights(weights: Path) -> None:
    """Family, number of parameters, quantization, window and template are those of SmolLM2-135M."""
    header = read_header(weights)
    assert (header.architecture, header.parameters, header.quantization) == ("llama", 134_515_008, "Q4_1")
    assert (header.length("context_length"), header.length("embedding_length")) == (8192, 576)
    assert "<|im_start|>" in header.template
    assert header.metadata["tokenizer.ggml.tokens"] == []
    assert header.length("no_such_number") == 0


@pytest.mark.parametrize("content", [b"", b"GGU", b"PK\x03\x04 a zip archive", b"GGML" + bytes(100)])
def test_no_gguf(tmp_path: Path, content: bytes) -> None:
    """A file of another kind is refused in one line that names it."""
    path = tmp_path / "model.gguf"
    path.write_bytes(content)
    with pytest.raises(NotGguf, match=r"^model\.gguf is no GGUF file[^\n]*$"):
        read_header(path)


@pytest.mark.parametrize("length", [4, 12, 24, 40, 300, 5_000, 900_000, 1_800_000, 3_000_000, 60_000_000])
def test_a_file_that_is_cut(weights: Path, tmp_path: Path, length: int) -> None:
    """A file that ends within its header or its weights is refused, wherever it ends."""
    path = tmp_path / "cut.gguf"
    with weights.open("rb") as source:
        path.write_bytes(source.read(length))
    with pytest.raises(NotGguf, match=r"^cut\.gguf is [^\n]*(broken|incomplete)"):
        read_header(path)


@pytest.mark.parametrize(
    "header",
    [
        struct.pack("<IQQ", 3, 2**63, 1),
        struct.pack("<IQQ", 3, 0, 2**63),
        struct.pack("<IQQQ", 3, 0, 1, 2**62) + b"key",
        struct.pack("<IQQQ", 3, 0, 1, 1) + b"k" + struct.pack("<IIQ", 9, 8, 2**62),
        struct.pack("<IQQQ", 3, 0, 1, 1) + b"k" + struct.pack("<I", 77),
        struct.pack("<IQQQ", 3, 0, 1, 1) + b"k" + struct.pack("<IIQ", 9, 9, 1) * 2000,
        struct.pack("<IQQ", 99, 0, 0),
    ],
)
def test_a_hostile_header(tmp_path: Path, header: bytes) -> None:
    """Lengths and kinds that cannot be are refused at once, however large they are."""
    path = tmp_path / "hostile.gguf"
    path.write_bytes(b"GGUF" + header + bytes(64))
    with pytest.raises(NotGguf, match=r"^hostile\.gguf is [^\n]*$"):
        read_header(path)


def test_facts_that_no_list_can_show(tmp_path: Path) -> None:
    """A number that JSON does not have is none, and a file type that is a list is unknown."""

    def key(name: bytes) -> bytes:
        return struct.pack("<Q", len(name)) + name

    not_a_number = key(b"scale") + struct.pack("<Id", 12, float("nan"))
    of_two_types = key(b"general.file_type") + struct.pack("<IIQII", 9, 4, 2, 3, 3)
    path = tmp_path / "odd.gguf"
    path.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 0, 2) + not_a_number + of_two_types)
    header = read_header(path)
    assert header.metadata["scale"] is None
    assert header.quantization == "unknown"


def test_a_missing_file(tmp_path: Path) -> None:
    """A file that is not there is the caller's OSError."""
    shutil.rmtree(tmp_path)
    with pytest.raises(FileNotFoundError):
        read_header(tmp_path / "none.gguf")
