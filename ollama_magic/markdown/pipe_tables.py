"""Tables as models write them: a pipe in code or a formula is no border; nothing that is miscounted gets lost."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ollama_magic.markdown.fence_rule import fence
from ollama_magic.markdown.math import formula_end

if TYPE_CHECKING:
    from markdown_it.rules_block.state_block import StateBlock

_MOST_EMPTY = 0x10000  # cells that a table fills up by itself
_RULE = re.compile(r"[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*(?::?-+:?[ \t]*)?)*")
_SPECIAL = re.compile(r"\\\||\\[(\[]|\\.|`+|\$|\|", re.DOTALL)
_OPENING_RULE = re.compile(r"[|:-][|:\s-]")


def table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Read a table: a line with pipes, a rule below it, and rows up to the next blank line or block."""
    if start + 2 > end or state.sCount[start + 1] < state.blkIndent:
        return False
    if state.is_code_block(start) or state.is_code_block(start + 1):
        return False
    rule = _line(state, start + 1)
    head_line = _line(state, start)
    if "|" not in head_line or not _OPENING_RULE.match(rule) or rule.startswith(("- ", "-\t")):
        return False
    if fence(state, start, end, True):  # the fence is open as soon as its line is complete
        return False
    alignments = _alignments(rule)
    head = cells(head_line, len(alignments))
    if not alignments or not head or (len(head) != len(alignments) and "|" not in rule):
        return False
    if not silent:
        _push_table(state, start, end, head, alignments)
    return True


def cells(line: str, expected: int) -> list[str]:
    """The cells of a row. Where one reading has the `expected` number of cells, it is the right one."""
    line = line.strip()
    whole = _without_outer(_split(line))
    if len(whole) != expected and ("`" in line or "$" in line or "\\" in line):
        plain = _without_outer(_split(line, shields=False))
        if len(plain) == expected:
            return plain
    return whole


def _split(line: str, *, shields: bool = True) -> list[str]:
    """Split at pipes, but (with `shields`) not inside code spans and formulas; an escaped pipe is a pipe."""
    if "\\" not in line and not (shields and ("`" in line or "$" in line)):
        return line.split("|")
    found, current, at = [], "", 0
    unclosed: set[str] = set()
    while match := _SPECIAL.search(line, at):
        mark = match.group()
        current += line[at : match.start()]
        at = _span_end(line, match, unclosed) if shields and mark[0] in "`$\\" and mark != "\\|" else match.end()
        if mark == "|":
            found.append(current)
            current = ""
        else:
            current += line[match.start() : at].replace("\\|", "|")
    return [*found, current + line[at:]]


def _span_end(line: str, match: re.Match[str], unclosed: set[str]) -> int:
    """Where the code span or formula ends that begins with this match; the match's end if there is none.

    `unclosed`: runs of backticks that were looked for in vain, so that no line is searched twice for them.
    """
    mark = match.group()
    if mark[0] != "`":
        return max(formula_end(line, match.start(), len(line)), match.end())
    closing = None if mark in unclosed else re.compile(rf"(?<!`){mark}(?!`)").search(line, match.end())
    if closing is None:
        unclosed.add(mark)
    return closing.end() if closing else match.end()


def _without_outer(columns: list[str]) -> list[str]:
    """Without the empty pieces outside of the outer pipes."""
    if columns and not columns[0]:
        columns = columns[1:]
    if columns and not columns[-1]:
        columns = columns[:-1]
    return [column.strip() for column in columns]


def _alignments(rule: str) -> list[str]:
    """The alignment of each column, or [] where the line is no rule."""
    if not _RULE.fullmatch(rule):
        return []
    names = {(True, True): "center", (False, True): "right", (True, False): "left", (False, False): ""}
    columns = _without_outer(rule.strip().split("|"))
    return [names[column.startswith(":"), column.endswith(":")] for column in columns]


def _line(state: StateBlock, line: int) -> str:
    return state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]]


def _push_table(state: StateBlock, start: int, end: int, head: list[str], alignments: list[str]) -> None:
    before, state.parentType = state.parentType, "table"
    state.push("table_open", "table", 1).map = table_lines = [start, 0]
    state.push("thead_open", "thead", 1).map = [start, start + 1]
    _push_row(state, start, "th", head, alignments)
    state.push("thead_close", "thead", -1)
    line = _push_rows(state, start + 2, end, len(head), alignments)
    state.push("table_close", "table", -1)
    table_lines[1] = state.line = line
    state.parentType = before


def _push_rows(state: StateBlock, start: int, end: int, count: int, alignments: list[str]) -> int:
    """The rows of the body; the line behind the last one."""
    ending = state.md.block.ruler.getRules("blockquote")  # a quote is ended by the same blocks as a table
    line, room = start, _MOST_EMPTY
    while line < end and state.sCount[line] >= state.blkIndent and not state.isEmpty(line):
        if any(rule(state, line, end, True) for rule in ending) or state.is_code_block(line):
            break
        row = cells(_line(state, line), count)
        while len(row) > count and not row[-1]:
            row.pop()
        room -= max(count - len(row), 0)
        if room < 0:
            break
        if line == start:
            state.push("tbody_open", "tbody", 1).map = [start, end]
        _push_row(state, line, "td", row + [""] * (count - len(row)), alignments)
        line += 1
    if line > start:
        state.push("tbody_close", "tbody", -1)
    return line


def _push_row(state: StateBlock, line: int, tag: str, row: list[str], alignments: list[str]) -> None:
    state.push("tr_open", "tr", 1).map = [line, line + 1]
    for column, text in enumerate(row):
        token = state.push(f"{tag}_open", tag, 1)
        if column < len(alignments) and alignments[column]:
            token.attrs = {"style": f"text-align:{alignments[column]}"}
        token = state.push("inline", "", 0)
        token.map, token.content, token.children = [line, line + 1], text, []
        state.push(f"{tag}_close", tag, -1)
    state.push("tr_close", "tr", -1)
