"""The text of a Word document (.docx), read by python-docx from a copy that holds nothing but bounded XML."""

from __future__ import annotations

import zipfile
from io import BytesIO
from typing import TYPE_CHECKING, Any

from ollama_magic.attachments.libraries import EXTRA
from ollama_magic.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ollama_magic.attachments.reading import Reading
    from ollama_magic.turns.attachment import Attachment

_CONTENTS, _FOLDER = "[Content_Types].xml", "word/"
_PARTS, _XML = 5_000, 32_000_000  # parts of a document, and bytes of XML in all of them
_CHUNK = 1 << 16
_SIGNS = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
_LEFT_OUT = ("pPr", "rPr", "Fallback", "")
_OTHERS = {
    "xl/workbook.xml": "it is an Excel file; attach the frame that `pandas.read_excel` returns",
    "ppt/presentation.xml": "it is a presentation; save it as PDF",
    "content.xml": "it is an OpenDocument file; save it as .docx or .csv",
}
_PACKED = "it is an archive; unpack it first"
_TOO_LARGE = "it unpacks to more than can be read; save its text as a file"


def word_attachment(data: bytes, reading: Reading) -> Attachment:
    """Return the text of a Word document.

    Raises:
        InputError: It is another kind of archive, broken or too large, or python-docx is missing.
    """
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            _check_parts(archive, reading)
            import docx

            body = docx.Document(_bounded(archive, reading)).element.body
        text = "\n".join(_lines(body))
    except ImportError:
        raise reading.refusal(f"reading a Word document needs python-docx; {EXTRA}") from None
    except InputError:
        raise
    except Exception as error:  # noqa: BLE001  # zipfile, lxml and python-docx raise what they like
        raise reading.fault("it is no Word document that can be read", error) from None
    if not text.strip():
        raise reading.refusal("this document has no text; attach its pages as images")
    return reading.text(text)


def _check_parts(archive: zipfile.ZipFile, reading: Reading) -> None:
    """Refuse an archive that is no Word document."""
    names = {one.filename for one in archive.infolist()}
    if _CONTENTS not in names or not any(name.startswith(_FOLDER) for name in names):
        raise reading.refusal(next((why for name, why in _OTHERS.items() if name in names), _PACKED))
    if len(names) > _PARTS:
        raise reading.refusal(_TOO_LARGE)


def _bounded(archive: zipfile.ZipFile, reading: Reading) -> BytesIO:
    """Return a copy with the XML alone, unpacked within limits, for python-docx unpacks every part at once."""
    copy, left = BytesIO(), _XML
    with zipfile.ZipFile(copy, "w") as target:
        for part in archive.infolist():
            is_xml = part.filename.lower().endswith((".xml", ".rels"))
            content = _unpacked(archive, part, left, reading) if is_xml else b""
            left -= len(content)
            target.writestr(part.filename, content)
    copy.seek(0)
    return copy


def _unpacked(archive: zipfile.ZipFile, part: zipfile.ZipInfo, most: int, reading: Reading) -> bytes:
    """Return the bytes of a part; refuse one that is too large or declares entities."""
    if part.file_size > most or part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise reading.refusal(_TOO_LARGE)
    content = bytearray()
    with archive.open(part) as file:
        while chunk := file.read(_CHUNK):  # in pieces: a part may unpack to more than it declares
            content += chunk
            reading.check_stopped()
    if b"<!DOCTYPE" in content.replace(b"\0", b""):
        raise reading.refusal("its XML declares entities, as no document does; save its text as a file")
    return bytes(content)


def _lines(element: Any) -> Iterator[str]:
    """Yield the paragraphs and the rows of tables in order."""
    for child in element.iterchildren():
        name = _name(child)
        if name == "p":
            yield _heading(child) + _text(child)
        elif name == "tbl":
            yield from _rows(child)
        elif name in ("sdt", "sdtContent"):
            yield from _lines(child)


def _rows(table: Any) -> Iterator[str]:
    """Yield each row of a table on one line; a cell that spans several columns counts once."""
    for row in table.iterchildren():
        if _name(row) == "tr":
            cells = (" ".join(_lines(cell)) for cell in row.iterchildren() if _name(cell) == "tc")
            yield f"| {' | '.join(cells)} |"


def _heading(paragraph: Any) -> str:
    """Return the mark of a heading in Markdown; empty for any other paragraph."""
    styles = [str(value) for node in paragraph.iter() if _name(node) == "pStyle" for value in node.attrib.values()]
    level = styles[0].removeprefix("Heading") if styles and styles[0].startswith("Heading") else ""
    return f"{'#' * int(level)} " if level in tuple("123456") else ""


def _text(element: Any) -> str:
    """Return the text of a paragraph; what stands in it only for old programs is left out."""
    return "".join(_piece(child) for child in element.iterchildren() if _name(child) not in _LEFT_OUT)


def _piece(node: Any) -> str:
    name = _name(node)
    return (node.text or "") if name == "t" else _SIGNS.get(name) or _text(node)


def _name(node: Any) -> str:
    """Return the name of an element without its namespace, of which there are two."""
    return node.tag.rpartition("}")[2] if isinstance(node.tag, str) else ""
