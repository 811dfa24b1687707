"""The pages that are written for people: their texts, cells, lines for a terminal, headings and links."""

from __future__ import annotations

import json
import re
import shlex
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).parent.parent
FENCE = re.compile(r"^```([\w{}]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?://|mailto:)([^)\s]+)\)")
INNER = {"design.md", "protocol.md", "reference.md", "speed.md"}  # for those who work on it, or written by a program


def read(*patterns: str) -> dict[str, str]:
    """Return the texts of the files that match, by their paths from the root."""
    paths = [path for pattern in patterns for path in sorted(ROOT.glob(pattern))]
    return {path.relative_to(ROOT).as_posix(): path.read_text("utf8") for path in paths if "_build" not in path.parts}


FRONT = read("README.md", "README.zh.md")
GUIDE = {name: text for name, text in read("docs/*.md", "docs/zh/*.md").items() if Path(name).name not in INNER}
ALL = {**FRONT, **read("CONTRIBUTING.md", "CHANGELOG.md", "docs/*.md", "docs/zh/*.md")}
TO_RUN = {**FRONT, **GUIDE}


def cells(text: str) -> list[str]:
    """The fenced blocks that a notebook runs: those without a language, and Python's."""
    return [code for language, code in FENCE.findall(text) if language in ("", "python")]


def failing(text: str) -> dict[str, str]:
    """The cells that end in an error on purpose, and the line that says so: a block of text behind them."""
    found = FENCE.findall(text)
    return {
        code: after
        for (language, code), (next_language, after) in pairwise(found)
        if language in ("", "python") and next_language == "text" and re.match(r"\w+: ", after)
    }


def blocks(text: str, wanted: str) -> list[str]:
    """The fenced blocks of a language."""
    return [code for language, code in FENCE.findall(text) if language == wanted]


def inline(text: str) -> list[str]:
    """What stands between single backticks."""
    return re.findall(r"(?<!`)`([^`\n]+)`(?!`)", FENCE.sub("", text))


def shell_lines(text: str) -> list[list[str]]:
    """The commands of the blocks for a terminal, as words."""
    lines = [line for code in blocks(text, "sh") if not code.startswith("curl ") for line in code.splitlines()]
    return [shlex.split(part, comments=True) for line in lines for part in line.split("&&")]


def titles(text: str) -> list[str]:
    """The headings of a page."""
    return re.findall(r"^#+ (.+)$", FENCE.sub("", text), re.MULTILINE)


def anchors(text: str) -> set[str]:
    """What a link to a heading of the page ends in."""
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles(text)}


def notebook_text(path: Path) -> str:
    """What stands in the cells of text of a notebook."""
    found = json.loads(path.read_text("utf8"))["cells"]
    return "\n\n".join("".join(cell["source"]) for cell in found if cell["cell_type"] == "markdown")


def text_of(path: Path) -> str:
    """A page's text, or what a notebook says."""
    return notebook_text(path) if path.suffix == ".ipynb" else path.read_text("utf8")


def broken_links(page: Path) -> list[str]:
    """The links of a page that lead to no file, or to no heading of it."""
    broken = []
    for link in LINK.findall(FENCE.sub("", text_of(page))):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(text_of(target))):
            broken.append(link)
    return broken
