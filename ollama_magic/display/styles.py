"""Reads the style sheets and scripts that stand beside the code, and makes them short enough to send with an answer."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


@cache
def style_element(*paths: str) -> str:
    """Return these style sheets as one element; the paths begin in the package, as `display/live.css`."""
    return f"<style>{''.join(map(_short_css, paths))}</style>"


@cache
def short_script(path: str) -> str:
    """Return a script on one line: its comments have lines of their own, and its statements end with semicolons."""
    lines = [line.strip() for line in _text(path).splitlines()]
    return " ".join(line for line in lines if line and not line.startswith("//"))


def _short_css(path: str) -> str:
    css = " ".join(_COMMENT.sub("", _text(path)).split()).replace(": ", ":")
    for mark in "{};,":
        css = css.replace(f" {mark}", mark).replace(f"{mark} ", mark)
    return css


def _text(path: str) -> str:
    return files("ollama_magic").joinpath(path).read_text("utf8")
