"""Files with wrong bytes anywhere: each is attached or refused in one line, whatever its library raises."""

from __future__ import annotations

import io
import random

import docx
import pandas as pd
import pytest

from ollama_magic.attachments.sources import read_source
from ollama_magic.errors import InputError
from ollama_magic.turns.attachment import Attachment
from tests.attachments.pictures import encoded, slope


def word() -> bytes:
    buffer = io.BytesIO()
    document = docx.Document()
    document.add_paragraph("rain")
    document.save(buffer)
    return buffer.getvalue()


def parquet() -> bytes:
    buffer = io.BytesIO()
    pd.DataFrame({"city": ["Lima", "Oslo"]}).to_parquet(buffer)
    return buffer.getvalue()


WHOLE = {
    **{form.lower(): encoded(slope(), form) for form in ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")},
    "docx": word(),
    "parquet": parquet(),
    "notebook": b'{"cells": [{"cell_type": "code", "source": "x", "outputs": []}], "nbformat": 4}',
}


def damaged(data: bytes, rng: random.Random) -> bytes:
    """The data with some bytes changed, added, removed or cut, more of them at the beginning."""
    found = bytearray(data)
    for _ in range(rng.choice([1, 2, 8])):
        place = min(int(rng.expovariate(1 / 60)), len(found) - 1) if rng.random() < 0.5 else rng.randrange(len(found))
        change = rng.choice(["change", "change", "add", "remove", "cut"])
        if change == "change":
            found[place] = rng.choice([0, 1, 127, 128, 255, rng.randrange(256)])
        elif change == "add":
            found[place:place] = rng.randbytes(4)
        else:
            del found[place + 1 : place + 20 if change == "remove" else None]
    return bytes(found)


@pytest.mark.parametrize("name", WHOLE)
def test_a_damaged_file(name: str) -> None:
    """A damaged file is sent or refused in one line, never an exception of a library, and the same on each run."""
    assert isinstance(read_source(WHOLE[name], name), Attachment)
    rng, lines = random.Random(name), []
    for _ in range(40):
        try:
            read_source(damaged(WHOLE[name], rng), "it")
        except InputError as error:
            lines.append(str(error))
    assert lines
    assert not [
        line for line in lines if "\n" in line or len(line) > 400 or not line.startswith("it cannot be attached")
    ]
