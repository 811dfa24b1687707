"""The hook that keeps a line as it was typed: our magics become calls before IPython's own transformers see the text.

What the line says, options and prompt, is read in `options`; only where a magic begins and ends is decided here.
"""

from __future__ import annotations

import ast
import re
import tokenize
import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Ours = Callable[[str, str], bool]
    Tokens = Sequence[tokenize.TokenInfo]

ASSIGNED = "\0="  # nobody types a NUL; in the call it stands escaped, as plain source

_CELL = re.compile(r"%%(\w+)(?:[^\S\n]+([^\n]*))?\n?\Z")
_LINE = re.compile(r"%(\w+)(?:\s+(.*))?\Z", re.DOTALL)
_ROW = re.compile(r"[^\n]*\n|[^\n]+")
_UNREADABLE = re.compile("[\0\ud800-\udfff]")  # a whole row is lost for these since Python 3.12
_QUIET = (tokenize.INDENT, tokenize.DEDENT, tokenize.NL, tokenize.COMMENT)
_HEADS = ["if", "elif", "else", "for", "while", "with", "try", "except", "finally", "def", "class", "async", "case"]
_ANYWHERE, _AT_THE_START = ("%", "!"), ("?", ",", ";", "/")


def install(shell: Any, ours: Ours | None = None) -> None:
    """Put the hook first into `input_transformers_cleanup`; a second time changes nothing.

    `ours(kind, name)` says whether the magic registered by that name is one of ours ("line" or "cell").
    """
    uninstall(shell)
    shell.input_transformers_cleanup.insert(0, LineHook(ours or _registered(shell)))


def uninstall(shell: Any) -> None:
    """Take the hook out again."""
    cleanup = shell.input_transformers_cleanup
    cleanup[:] = [one for one in cleanup if getattr(one, "belongs_to", None) != "ollama_magic"]


def split_assigned(line: str) -> tuple[bool, str]:
    """Whether the call's result is assigned (`r = %chat …`), and the line without the hook's mark of it."""
    return line.startswith(ASSIGNED), line.removeprefix(ASSIGNED)


def prompt_text(words: str, cell: str | None = None) -> str:
    r"""Join words (its first line) and cell to one prompt; the "\n" at the cell's very end was added by IPython.

    >>> prompt_text("why?", "\n"), prompt_text("", " x \n\n"), prompt_text("a", "b\n")
    ('why?', ' x \n', 'a\nb')
    """
    body = (cell or "").removesuffix("\n")
    return f"{words}\n{body}" if words and body else words or body


def _registered(shell: Any) -> Ours:
    """Know our magics by the module that their functions come from."""

    def ours(kind: str, name: str) -> bool:
        function = shell.magics_manager.magics[kind].get(name)
        return str(getattr(function, "__module__", "")).startswith("ollama_magic.")

    return ours


class LineHook:
    """A transformer of cells (a list of lines in, one out); see design §2, «Reading a line»."""

    # Otherwise check_complete sees no %% and a terminal sends a %%chat cell after its first line.
    has_side_effects = True
    belongs_to = "ollama_magic"

    def __init__(self, ours: Ours) -> None:
        self._ours = ours

    def __call__(self, lines: list[str]) -> list[str]:
        """Return the cell's lines with our magics as calls."""
        text = "".join(lines)
        rows = _ROW.findall(text)  # IPython's lines end at U+2028 and others too
        first = next((i for i, row in enumerate(rows) if row.strip()), None)
        if first is None:
            return lines
        if rows[first].lstrip().startswith("%%"):
            call = self._cell_call(rows[first:])
            return lines if call is None else [*rows[:first], call]
        if not self._mentioned(text):
            return lines
        return "".join(self._with_line_calls(rows)).splitlines(keepends=True)

    def _cell_call(self, rows: list[str]) -> str | None:
        """Turn a cell that begins with one of our cell magics into its call; None for any other."""
        indent = rows[0][: len(rows[0]) - len(rows[0].lstrip())]
        rows = [row.removeprefix(indent) for row in rows]  # as IPython does with a cell pasted with its indentation
        match = _CELL.match(rows[0])
        if match is None or not self._ours("cell", match[1]):
            return None
        body = "".join(rows[1:]) or "\n"  # run_cell_magic refuses an empty one
        return f"get_ipython().run_cell_magic({match[1]!r}, {match[2] or ''!r}, {body!r})\n"

    def _mentioned(self, text: str) -> bool:
        """Whether one of our line magics is written anywhere in the text."""
        return any(self._ours("line", name) for name in set(re.findall(r"%(\w+)", text)))

    def _with_line_calls(self, rows: list[str]) -> list[str]:
        """Replace our line magics, from the top down, tokenised anew after each."""
        seen = list(rows)  # as the tokeniser sees them: a command that is done, ours or not, is a 0 there
        start = 0
        while self._mentioned("".join(seen[start:])) and (found := _next_command(seen, start)):
            row, column, assigned, start = found
            last = _last_row(rows, row)
            match = _LINE.match(_joined(rows, row, column, last))
            before, done = rows[row][:column], "\n" * (last - row)
            if match and self._ours("line", match[1]):
                text = ASSIGNED * assigned + (match[2] or "")
                rows[row : last + 1] = [f"{before}get_ipython().run_line_magic({match[1]!r}, {text!r})\n"]
                done = ""
            seen[row : last + 1] = [f"{before}0\n", *done]
        return rows


def _last_row(rows: list[str], row: int) -> int:
    """Return the row where a command that begins in `row` ends: a backslash at a row's end joins the next."""
    while row + 1 < len(rows) and rows[row].endswith(("\\\n", "\\\r\n")):
        row += 1
    return row


def _joined(rows: list[str], row: int, column: int, last: int) -> str:
    """Return the command's text on one line; as in IPython a space stands for the backslash and what follows it."""
    parts = [rows[row][column:], *rows[row + 1 : last + 1]]
    return " ".join([part.rstrip()[:-1] for part in parts[:-1]] + [re.sub(r"\r?\n\Z", "", parts[-1])])


def _next_command(rows: list[str], start: int) -> tuple[int, int, bool, int] | None:
    """Find the first statement, or right side of an assignment, that is a command.

    It is told as (row, column, assigned, start of the next search): a row that is not indented, where nothing is open.
    """
    rows, first, safe = rows[start:], start, start
    for statement in _statements(rows):
        depth = 0
        if statement and statement[0].start[1] == 0:
            safe = first + statement[0].start[0] - 1
        for i, token in enumerate(statement):
            if depth == 0 and (token.string in _ANYWHERE or (i == 0 and token.string in _AT_THE_START)):
                before = _without_head(statement[:i])
                assigned = _is_assignment(before, rows)
                if assigned or not before:
                    return first + token.start[0] - 1, token.start[1], assigned, safe
            depth += (token.string in ("(", "[", "{")) - (token.string in (")", "]", "}"))
    return None


def _statements(rows: list[str]) -> Iterator[Tokens]:
    """Yield the tokens of each logical line, as far as the text can be read as Python."""
    statement: list[tokenize.TokenInfo] = []
    try:
        for token in tokenize.generate_tokens(iter([*(_UNREADABLE.sub(" ", row) for row in rows), ""]).__next__):
            if token.type == tokenize.NEWLINE:
                yield statement
                statement = []
            elif token.type not in _QUIET and (token.string.strip() or token.type != tokenize.ERRORTOKEN):
                statement.append(token)
    except (tokenize.TokenError, SyntaxError):
        pass  # what stands below the unreadable spot is tokenised again once the command above it is gone
    yield statement


def _without_head(before: Tokens) -> Tokens:
    """Drop the head of a compound statement on the same line: `if ready:`, `else:`."""
    if not before or before[0].string not in _HEADS:
        return before
    depth = colon = 0
    for i, token in enumerate(before):
        depth += (token.string in ("(", "[", "{")) - (token.string in (")", "]", "}"))
        colon = i + 1 if token.string == ":" and depth == 0 else colon
    return before[colon:]


def _is_assignment(before: Tokens, rows: list[str]) -> bool:
    """Whether these tokens are the targets of one assignment, up to and with its last `=`."""
    if not before or before[-1].string != "=":
        return False
    (row, column), (last, end) = before[0].start, before[-1].end
    parts = [*rows[row - 1 : last - 1], rows[last - 1][:end]]
    parts[0] = parts[0][column:]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the compiler will say it of the real statement
            statements = ast.parse("".join(parts) + " 0").body
    except (SyntaxError, ValueError):
        return False
    return len(statements) == 1 and isinstance(statements[0], ast.Assign | ast.AnnAssign)
