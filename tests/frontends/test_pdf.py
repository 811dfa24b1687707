"""A notebook as a PDF, made by nbconvert and Chromium."""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING, Any

from nbconvert import WebPDFExporter
from playwright.async_api import BrowserType

from tests.answers import paragraphs, words
from tests.frontends.notebooks import executed, notebook
from tests.machine.browser import chromium

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from tests.double import ScriptedServer

ALONE = "--host-resolver-rules=MAP * ~NOTFOUND"  # MathJax stays away, and the test asks nobody


def drawn(pdf: bytes) -> int:
    """How often text is drawn in a PDF; what the letters are stands in its fonts."""
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL)
    return sum(_unpacked(stream).count(b"Tj") for stream in streams)


def _unpacked(stream: bytes) -> bytes:
    try:
        return zlib.decompress(stream)
    except zlib.error:
        return b""


def test_a_pdf(answering: Callable[..., ScriptedServer], monkeypatch: pytest.MonkeyPatch) -> None:
    """`nbconvert --to webpdf` makes a PDF in which an answer stands, whole."""
    launch, path = BrowserType.launch, chromium()

    async def on_path(self: BrowserType, **options: Any) -> Any:
        return await launch(self, executable_path=path, **options)

    monkeypatch.setattr(BrowserType, "launch", on_path)
    answering(answers=lambda _: words(paragraphs(30)))
    exporter = WebPDFExporter(disable_sandbox=True, browser_args=[ALONE])
    found = [exporter.from_notebook_node(made)[0] for made in (notebook(), executed("%%chat\nTell me."))]
    assert all(pdf.startswith(b"%PDF-") for pdf in found)
    empty, asked = map(drawn, found)
    assert asked >= empty + 30
