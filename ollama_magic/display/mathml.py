"""TeX as MathML, for front ends that set no TeX in HTML; without the extra `latex2mathml` it stays as typed.

Only a fixed list of elements and attributes gets through, and every text is escaped: TeX is a model's, and the library
writes links, styles and markup into its output as they come.
"""

from __future__ import annotations

import re
from functools import lru_cache
from html import escape, unescape
from importlib.util import find_spec
from typing import TYPE_CHECKING

from ollama_magic.foreign import visible

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

LONGEST, DEEPEST = 2_000, 60  # characters of one formula, and levels of its elements
_MARKED = re.compile(r'<(samp|pre) class="?[\w -]*\bmathjax_process\b[\w -]*"?>(.*?)</\1>', re.DOTALL)
_DELIMITERS = (("$$", "$$"), ("\\[", "\\]"), ("\\(", "\\)"), ("$", "$"))
_ELEMENT = re.compile(
    "math|menclose|mfrac|mi|mmultiscripts|mn|mo|mover|mpadded|mphantom|mprescripts|mroot|mrow|ms|mspace|msqrt|mstyle|"
    "msub|msubsup|msup|mtable|mtd|mtext|mtr|munder|munderover|none"
)
_ATTRIBUTE = re.compile(
    "accent|accentunder|columnalign|columnspacing|depth|display|displaystyle|fence|form|height|largeop|linethickness|"
    "lspace|mathvariant|maxsize|minsize|movablelimits|notation|rowspacing|rspace|scriptlevel|separator|stretchy|"
    "symmetric|voffset|width"
)
_VALUE = re.compile(r"[\w .%+-]{1,60}")


def with_mathml(html: str) -> str:
    """Return the HTML with each marked formula as MathML; one that cannot be converted stays as it is."""
    if "mathjax_process" not in html or find_spec("latex2mathml") is None:
        return html
    return _MARKED.sub(lambda found: _mathml(unescape(found[2]).strip()) or found[0], html)


@lru_cache(maxsize=512)  # a live view shows the same formula with every paint
def _mathml(formula: str) -> str:
    opening, closing = next((pair for pair in _DELIMITERS if formula.startswith(pair[0])), ("", ""))
    tex = formula.removeprefix(opening).removesuffix(closing)
    display = "block" if opening in ("", "$$", "\\[") else "inline"
    if len(tex) > LONGEST:
        return ""
    from latex2mathml.converter import convert_to_element

    try:
        return _written(convert_to_element(tex, display=display))
    except Exception:  # noqa: BLE001 (a parser of a model's text raises what it likes; the text stays as typed)
        return ""


def _written(element: Element, depth: int = 0) -> str:
    """One element as text; what is not on the list is left out, and its content stands in its place."""
    if depth > DEEPEST:
        raise RecursionError
    inside = _text(element.text) + "".join(_written(child, depth + 1) + _text(child.tail) for child in element)
    name = str(element.tag)
    if not _ELEMENT.fullmatch(name):
        return inside
    found = [(key, str(value)) for key, value in element.attrib.items()]
    known = [(key, value) for key, value in found if _ATTRIBUTE.fullmatch(key) and _VALUE.fullmatch(value)]
    attributes = "".join(f' {key}="{value}"' for key, value in known)
    return f"<{name}{attributes}>{inside}</{name}>"


def _text(text: str | None) -> str:
    return escape(visible(unescape(text or "").strip("\n")))
