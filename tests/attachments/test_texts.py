"""Text files, notebooks, PDF and Word documents as text."""

from __future__ import annotations

import codecs
import io
import json
import sys
import zipfile
from typing import TYPE_CHECKING, Any

import docx
import pytest

from ollama_magic.attachments import pdf_text
from ollama_magic.attachments.reading import Limits
from ollama_magic.attachments.sources import read_source
from ollama_magic.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

WORDS = "Grüße aus Zürich, 5 €\nsecond line\n"
ENCODED = {
    "utf-8": (WORDS.encode(), ""),
    "utf-8 with a mark": (codecs.BOM_UTF8 + WORDS.encode(), ""),
    "utf-16": (WORDS.encode("utf-16"), ""),
    "utf-16, big-endian": (codecs.BOM_UTF16_BE + WORDS.encode("utf-16-be"), ""),
    "utf-32": (WORDS.encode("utf-32"), ""),
    "windows-1252": (WORDS.encode("cp1252"), "read as Windows-1252"),
}


@pytest.mark.parametrize(("data", "note"), ENCODED.values(), ids=list(ENCODED))
def test_encodings(data: bytes, note: str) -> None:
    """A text file is read in UTF-8, or as its mark says; a guess is noted."""
    attachment = read_source(data, "notes")
    assert (attachment.kind, attachment.text, attachment.note) == ("text", WORDS, note)


def test_latin_1() -> None:
    """A file that is no UTF-8 is read as Latin-1, and the note says so."""
    attachment = read_source("Grüße\n".encode("latin-1"), "notes")
    assert (attachment.text, attachment.note) == ("Grüße\n", "read as Latin-1")


@pytest.mark.parametrize("cut", [1, 2])
def test_utf_8_that_ends_within_a_character(cut: int) -> None:
    """A download that was cut stays UTF-8, and the note says so; a last accent of Latin-1 is none of it."""
    attachment = read_source("Grüße, 5 €".encode()[:-cut], "notes")
    assert (attachment.text, attachment.note) == ("Grüße, 5 \ufffd", "it ends within a character")
    attachment = read_source("a café".encode("latin-1"), "notes")
    assert (attachment.text, attachment.note) == ("a café", "read as Latin-1")


@pytest.mark.parametrize("data", [codecs.BOM_UTF16_LE + b"\0\xd8x", codecs.BOM_UTF8 + b"\xff", b"\xff\xfe\0\0\1"])
def test_a_text_that_is_broken(data: bytes) -> None:
    """A file whose mark promises what does not follow is refused in one line."""
    with pytest.raises(InputError, match=r"^it cannot be attached: it [^\n]+\.$"):
        read_source(data, "it")


@pytest.mark.parametrize("name", ["mean.py", "mean.png", "mean.pdf", "mean.csv.gz", "mean"])
def test_code_is_sent_as_it_is(name: str, tmp_path: Path) -> None:
    """Code is a text byte for byte, whatever its name, and is not executed."""
    code = 'raise SystemExit\r\n\n\tx = "```"\n\x1b[31mred\x0c'
    (tmp_path / name).write_bytes(code.encode())
    attachment = read_source(tmp_path / name, name)
    assert (attachment.kind, attachment.data, attachment.media_type) == ("text", code.encode(), "text/plain")


def test_an_empty_file() -> None:
    """An empty file is an empty text."""
    assert read_source(b"", "it").text == ""


def test_a_long_file_is_cut() -> None:
    """A file beyond the limit is cut, and its size is named."""
    attachment = read_source(b"x" * 40_000, "log")
    assert attachment.text == "x" * 32_000 + "… of 40,000 characters"


def test_a_key_in_a_file_is_hidden(tmp_path: Path) -> None:
    """Keys are masked in files as in variables."""
    (tmp_path / ".env").write_text("KEY=sk-secret\n")
    attachment = read_source(tmp_path / ".env", ".env", mask=lambda text: text.replace("sk-secret", "•••"))
    assert attachment.text == "KEY=•••\n"


def notebook(*cells: dict[str, Any]) -> bytes:
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


def code(source: str, *outputs: dict[str, Any]) -> dict[str, Any]:
    return {"cell_type": "code", "source": source, "outputs": list(outputs), "metadata": {}, "execution_count": 1}


def test_a_notebook_is_its_cells_and_text_outputs() -> None:
    """A notebook file is sent as its cells and text outputs, in order, without images, HTML and metadata."""
    figure = {"image/png": "aWNvbg==", "text/html": "<b>html</b>", "text/plain": ["<Figure ", "640x480>"]}
    data = notebook(
        {"cell_type": "markdown", "source": ["# Rain\n", "in *mm*"], "metadata": {"hidden": "metadata"}},
        code("df.plot()\n", {"output_type": "display_data", "data": figure, "metadata": {}}),
        code("print(1)", {"output_type": "stream", "name": "stdout", "text": ["\x1b[31m1\x1b[0m\n"]}),
        code("1/0", {"output_type": "error", "ename": "ZeroDivisionError", "evalue": "no", "traceback": []}),
        code(""),
    )
    attachment = read_source(data, "rain.ipynb")
    assert (attachment.kind, attachment.media_type) == ("text", "text/markdown")
    assert attachment.text == (
        "# Rain\nin *mm*\n\n"
        "```python\ndf.plot()\n```\n\nOutput:\n\n```\n<Figure 640x480>\n```\n\n"
        "```python\nprint(1)\n```\n\nOutput:\n\n```\n1\n```\n\n"
        "```python\n1/0\n```\n\nOutput:\n\n```\nZeroDivisionError: no\n```"
    )


def test_a_notebooks_fences_are_longer_than_those_inside() -> None:
    """Code with a fence in it stays one block."""
    assert read_source(notebook(code('x = """\n```\n"""')), "it").text == '````python\nx = """\n```\n"""\n````'


@pytest.mark.parametrize(
    "text",
    [
        '{"nbformat": 4, "cells": "none"}',
        '{"nbformat": 4, "cells": [',
        '{"nbformat": 4, "cells": ' + "[" * 50_000,
        '{"nbformat": ' + "9" * 5_000 + ', "cells": {}}',
        '{"a": 1}',
    ],
    ids=["cells", "cut", "deep", "number", "object"],
)
def test_json_that_is_no_notebook_is_text(text: str) -> None:
    """JSON that is no notebook, or a broken one, is sent as the text that it is."""
    assert read_source(text.encode(), "it", Limits(attach_chars=100_000)).text == text


def test_a_notebook_of_strange_cells() -> None:
    """Cells of any shape are left out, and the rest is sent."""
    cells: list[Any] = [None, 3, {}, {"cell_type": "code", "source": 5, "outputs": [None, {"data": []}]}, code("x")]
    assert read_source(notebook(*cells), "it").text == "```python\nx\n```"


def pdf(*pages: str) -> bytes:
    """A PDF with a line of text on each page."""
    count = len(pages)
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(count))
    parts = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {count} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    page = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 200] /Resources << /Font << /F1 3 0 R >> >>"
    for number, text in enumerate(pages):
        stream = f"BT /F1 12 Tf 20 100 Td ({text}) Tj ET" if text else ""
        parts += [
            f"{page} /Contents {5 + 2 * number} 0 R >>",
            f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream",
        ]
    body, places = "%PDF-1.4\n", []
    for number, part in enumerate(parts, 1):
        places.append(len(body))
        body += f"{number} 0 obj\n{part}\nendobj\n"
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    end = f"xref\n0 {len(parts) + 1}\n0000000000 65535 f \n{table}trailer\n<< /Size {len(parts) + 1} /Root 1 0 R >>\n"
    return f"{body}{end}startxref\n{len(body)}\n%%EOF\n".encode("latin-1")


def test_a_pdf_is_its_text() -> None:
    """A PDF is sent as the text of its pages, and the note counts them."""
    attachment = read_source(pdf("The first page", "The second page"), "paper.pdf")
    assert (attachment.kind, attachment.media_type, attachment.note) == ("text", "text/plain", "2 pages")
    assert attachment.text == "The first page\n\nThe second page"


def test_a_long_pdf_is_cut_after_some_pages() -> None:
    """No more pages are read than are sent, and the note says how many there are."""
    attachment = read_source(pdf(*["word " * 400] * 8), "book.pdf", Limits(attach_chars=1_000))
    assert attachment.text.endswith("… of 8 pages")
    assert len(attachment.text) == 1_000 + len("… of 8 pages")
    assert attachment.note == "the first 3 … of 8 pages"


@pytest.mark.parametrize("data", [b"%PDF-1.4\n", pdf("text")[:300], b"%PDF-1.4\n" + b"\xff" * 5_000])
def test_a_broken_pdf_is_one_line(data: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """A PDF that cannot be read is refused in one line, and pypdf writes nothing into the cell."""
    with pytest.raises(InputError, match=r"^it cannot be attached: [^\n]*PDF[^\n]*\.$"):
        read_source(data, "it")
    assert not caplog.records


def test_a_pdf_without_text_says_so() -> None:
    """A scanned PDF has no text, and the line says what to do."""
    with pytest.raises(InputError, match="this PDF has no text, as a scanned one has none; attach its pages as images"):
        read_source(pdf(""), "it")


def word() -> bytes:
    document = docx.Document()
    document.add_heading("Rain", 1)
    document.add_paragraph("It rains\tin mm.")
    table = document.add_table(2, 2)
    for cell, text in zip([*table.row_cells(0), *table.row_cells(1)], ["city", "mm", "Lima", "2"], strict=True):
        cell.text = text
    document.add_paragraph("The end")
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


WORD = word()


@pytest.mark.parametrize("name", ["report.docx", "report.zip", "report"])
def test_a_word_document_is_its_text(name: str) -> None:
    """A Word document is sent as its paragraphs, headings and tables in order, whatever its name."""
    attachment = read_source(WORD, name)
    assert attachment.text == "# Rain\nIt rains\tin mm.\n| city | mm |\n| Lima | 2 |\nThe end"


def rewritten(part: str, change: Any, **options: Any) -> bytes:
    """The document with one part changed."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(WORD)) as old, zipfile.ZipFile(buffer, "w", **options) as new:
        for name in old.namelist():
            new.writestr(name, change(old.read(name)) if name == part else old.read(name))
    return buffer.getvalue()


ENTITIES = b'<!DOCTYPE d [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
BOMBS = {
    "entities": rewritten("word/document.xml", lambda xml: xml.replace(b"?>", b"?>" + ENTITIES, 1)),
    "utf-16": rewritten("word/document.xml", lambda xml: (ENTITIES + b"<a/>").decode().encode("utf-16")),
    "styles": rewritten("word/styles.xml", lambda xml: xml.replace(b"?>", b"?>" + ENTITIES, 1)),
    "zeros": rewritten("word/document.xml", lambda _: b"\0" * 40_000_000, compression=zipfile.ZIP_DEFLATED),
    "lzma": rewritten("word/document.xml", lambda xml: xml, compression=zipfile.ZIP_LZMA),
}


@pytest.mark.parametrize("data", BOMBS.values(), ids=list(BOMBS))
def test_a_bomb_in_a_word_document_is_refused(data: bytes) -> None:
    """Entities, and parts that unpack to too much, are refused in one line before they are parsed."""
    with pytest.raises(InputError, match=r"^it cannot be attached: it(s XML declares| unpacks to more)[^\n]+\.$"):
        read_source(data, "it")


def test_a_part_that_declares_less_than_it_has() -> None:
    """A part that unpacks to more than it declares is not unpacked beyond that."""
    large = rewritten("word/document.xml", lambda xml: xml + b" " * 30_000_000, compression=zipfile.ZIP_DEFLATED)
    with zipfile.ZipFile(io.BytesIO(large)) as archive:
        size = archive.getinfo("word/document.xml").file_size
    assert large.count(size.to_bytes(4, "little")) == 2
    with pytest.raises(InputError, match=r"^it cannot be attached: it is no Word document that can be read [^\n]+\.$"):
        read_source(large.replace(size.to_bytes(4, "little"), (1_000).to_bytes(4, "little")), "it")


PARAGRAPHS = """<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"
 xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"><w:body>
<w:p><w:pPr><w:tabs><w:tab w:val="left"/></w:tabs></w:pPr><w:r><w:t>one</w:t><w:tab/><w:t>two</w:t><w:br/></w:r></w:p>
<w:p><w:del><w:r><w:delText>removed</w:delText></w:r></w:del><w:ins><w:r><w:t>added</w:t></w:r></w:ins></w:p>
<w:p><w:r><mc:AlternateContent><mc:Choice><w:t>box</w:t></mc:Choice><mc:Fallback><w:t>box</w:t></mc:Fallback>
</mc:AlternateContent></w:r></w:p>
<w:sdt><w:sdtContent><w:p><w:r><w:t>field</w:t></w:r></w:p></w:sdtContent></w:sdt>
<w:tbl><w:tr><w:tc>
<w:tcPr><w:gridSpan w:val="1000000000"/></w:tcPr><w:p><w:r><w:t>wide</w:t></w:r></w:p></w:tc></w:tr></w:tbl>
</w:body></w:document>"""


def test_what_is_seen_of_a_word_document_is_its_text() -> None:
    """Changes, text boxes and fields are read as they are seen, and a cell counts once however wide it says it is."""
    data = rewritten("word/document.xml", lambda _: PARAGRAPHS.encode())
    assert read_source(data, "it").text == "one\ttwo\n\nadded\nbox\nfield\n| wide |"


def test_a_word_document_without_text_says_so() -> None:
    """A document of pictures alone is refused with what to do."""
    empty = b'<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body/></w:document>'
    with pytest.raises(InputError, match="this document has no text; attach its pages as images"):
        read_source(rewritten("word/document.xml", lambda _: empty), "it")


def archive_of(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("names", "why"),
    [
        (["a.txt"], "it is an archive; unpack it first"),
        (["xl/workbook.xml"], "attach the frame that `pandas.read_excel` returns"),
        (["ppt/presentation.xml"], "save it as PDF"),
        (["[Content_Types].xml", "word/document.xml"], "it is no Word document that can be read"),
    ],
)
def test_other_archives_are_refused(names: list[str], why: str) -> None:
    """An archive that is no Word document is refused, with what to do."""
    with pytest.raises(InputError, match=why):
        read_source(archive_of(*names), "it")


@pytest.mark.parametrize(("data", "module", "name"), [(pdf("x"), "pypdf", "pypdf"), (WORD, "docx", "python-docx")])
def test_without_its_library_a_document_says_what_brings_it(
    data: bytes, module: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the extra a document is refused with the command that installs it."""
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(InputError, match=rf'needs {name}; `pip install "ollama_magic\[files\]"` brings it\.$'):
        read_source(data, "it")


@pytest.mark.parametrize(("seconds", "stopped", "why"), [(-1, False, "takes more than -1 s"), (9, True, "was stopped")])
def test_a_slow_pdf_is_given_up(seconds: float, stopped: bool, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that takes too long is refused in one line, and a turn that is stopped reads no further."""
    monkeypatch.setattr(pdf_text, "_SECONDS", seconds)
    with pytest.raises(InputError, match=why):
        read_source(pdf("one", "two"), "it", stopped=lambda: stopped)
