"""Styles and formulas for VS Code, which has none of Jupyter's styles and sets no TeX in HTML.

The styles apply only in VS Code's own pages, so that a notebook looks the same elsewhere.
"""

from __future__ import annotations

from ollama_magic.display.host import current_shell, in_vscode
from ollama_magic.display.mathml import with_mathml
from ollama_magic.display.styles import style_element


def style_for_host(*, widgets: bool = False) -> str:
    """Return the style sheet for VS Code; "" in other front ends."""
    if not in_vscode(current_shell()):
        return ""
    return style_element("display/vscode.css", *(["display/vscode_widgets.css"] if widgets else []))


def html_for_host(html: str) -> str:
    """Return the HTML with MathML formulas in VS Code, unchanged in other front ends."""
    return with_mathml(html) if "mathjax_process" in html and in_vscode(current_shell()) else html
