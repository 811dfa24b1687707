"""docs/: every reference from the code resolves, and the reference is up to date."""

from __future__ import annotations

import re
from pathlib import Path

from ollama_magic.ollama.catalog import _CANNOT
from tests import reference

ROOT = Path(__file__).parent.parent
DOCS = {path.name: path.read_text("utf8") for path in sorted((ROOT / "docs").glob("*.md"))}
SOURCES = [
    path
    for folder in ("ollama_magic", "tests", "labextension", "examples", "binder", "docs")
    for path in sorted((ROOT / folder).rglob("*"))
    if path.suffix in {".py", ".js", ".css", ".md", ".java"} and "__pycache__" not in path.parts
]
CITED = re.compile(r"\b(protocol|design)\.md((?: (?:and )?§[\d.]*\d,?)+)")


def titles(text: str) -> list[str]:
    """The headings of a page."""
    return re.findall(r"^#+ (.+)$", text, re.MULTILINE)


def sections(text: str) -> set[str]:
    """The numbers of the headings, and of design.md's promises (7.1 is the first)."""
    numbers = {match[1] for title in titles(text) if (match := re.match(r"(\d+(?:\.\d+)?)\.? ", title))}
    return numbers | {f"7.{row}" for row in re.findall(r"^\| (\d+) \| ", text, re.MULTILINE)}


def cited() -> list[tuple[str, str, str]]:
    """Every section that the code, the tests and the pages name: where, in which page, and its number."""
    found = []
    for path in SOURCES:
        for match in CITED.finditer(path.read_text("utf8")):
            numbers = re.findall(r"§([\d.]*\d)", match[2])
            found += [(path.name, f"{match[1]}.md", number) for number in numbers]
    return found


def test_every_section_that_is_named_exists() -> None:
    """Each «protocol.md §…» and «design.md §…» in code, tests and pages is a section of that page."""
    found = cited()
    known = {name: sections(DOCS[name]) for name in ("protocol.md", "design.md")}
    assert len(found) > 80
    assert not [(where, page, number) for where, page, number in found if number not in known[page]]


def test_no_other_way_to_name_a_section() -> None:
    """A section is named with its page, so that the test above sees it."""
    loose = re.compile(r"\b(dossier|design|style\.md)\s+§")
    assert not [path.name for path in SOURCES if path != Path(__file__) and loose.search(path.read_text("utf8"))]


def test_every_promise_and_decision_names_a_test() -> None:
    """Each promise has a test beside it, and so has each section of the design."""
    rows = [line for line in DOCS["design.md"].splitlines() if re.match(r"\| \d+ \| ", line)]
    assert len(rows) == 16
    assert all("`tests/" in row.rsplit("|", 2)[1] for row in rows)
    parts = re.split(r"^## ", DOCS["design.md"], flags=re.MULTILINE)[1:]
    assert all("`tests/" in part for part in parts)


def test_every_fact_has_a_source() -> None:
    """Each section of the protocol, or the section around it, says where its facts can be seen."""
    parts = re.split(r"^## ", DOCS["protocol.md"], flags=re.MULTILINE)[1:]
    assert not [part.partition("\n")[0] for part in parts if "\nSource: " not in part]


def code_texts() -> str:
    """The code, with the texts that span lines in one, without backticks, and with … for what differs."""
    code = "\n".join(path.read_text("utf8") for path in (ROOT / "ollama_magic").rglob("*.py"))
    joined = re.sub(r"\"\s*\n\s*f?\"", "", code)
    return re.sub(r"\{[^{}\n]*\}", "…", joined).replace("`", "")


def test_the_messages_of_troubleshooting_are_those_of_the_code() -> None:
    """Each line that the page explains is one that the code writes."""
    rows = re.findall(r"^\| `([^`]+)` \| ", DOCS["troubleshooting.md"], re.MULTILINE)
    assert len(rows) > 40
    code = "\n".join([code_texts(), *(f"cannot {doing}; {cure}" for doing, cure in _CANNOT.values())])
    wanted = {row: re.compile("[^\n]*?".join(map(re.escape, row.split("…")))) for row in rows}
    assert not [row for row, pattern in wanted.items() if not pattern.search(code)]


def test_the_reference_is_up_to_date() -> None:
    """docs/reference.md is what the tables of the code say."""
    assert reference.page() == DOCS["reference.md"], "docs/reference.md is out of date: run `make reference`"


def test_the_reference_has_everything() -> None:
    """The reference names every command, option and setting."""
    from ollama_magic.commands.command_table import COMMANDS
    from ollama_magic.line.model_options import MODEL_OPTIONS
    from ollama_magic.line.turn_options import CHAT, GENERATE

    page = DOCS["reference.md"]
    assert not [name for name in COMMANDS if f"- `%ollama {name}" not in page]
    assert not [one.name for one in (*CHAT.options, *GENERATE.options) if f"{one.name}" not in page]
    assert not [name for name in MODEL_OPTIONS if f"| `{name}` |" not in page]
