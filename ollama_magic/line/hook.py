"""The hook that preserves lines as typed: our magics become calls before IPython's own transformers see the text.

It only finds where a magic begins and ends; `options` parses the line.
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

ASSIGNED = "\0="  # nobody types a NUL; the call contains it escaped

_CELL = re.compile(r"%%(\w+)(?:[^\S\n]+([^\n]*))?\n?\Z")
_LINE = re.compile(r"%(\w+)(?:\s+(.*))?\Z", re.DOTALL)
_ROW = re.compile(r"[^\n]*\n|[^\n]+")
_UNREADABLE = re.compile("[\0\ud800-\udfff]")  # since Python 3.12 these make a whole row unreadable
_QUIET = (tokenize.INDENT, tokenize.DEDENT, tokenize.NL, tokenize.COMMENT)
_HEADS = ["if", "elif", "else", "for", "while", "with", "try", "except", "finally", "def", "class", "async", "case"]
_ANYWHERE, _AT_THE_START = ("%", "!"), ("?", ",", ";", "/")


def install(shell: Any, ours: Ours | None = None) -> None:
    """Insert the hook first in `input_transformers_cleanup`, once.

    `ours(kind, name)` says whether the magic of that kind ("line" or "cell") and name is one of ours.
    """
    uninstall(shell)
    shell.input_transformers_cleanup.insert(0, LineHook(ours or _registered(shell)))


def uninstall(shell: Any) -> None:
    """Remove the hook."""
    cleanup = shell.input_transformers_cleanup
    cleanup[:] = [one for one in cleanup if getattr(one, "belongs_to", None) != "ollama_magic"]


def split_assigned(line: str) -> tuple[bool, str]:
    """Return whether the result is assigned (`r = %chat …`), and the line without the hook's mark."""
    return line.startswith(ASSIGNED), line.removeprefix(ASSIGNED)


def prompt_text(words: str, cell: str | None = None) -> str:
    r"""Join words (the first line) and cell to one prompt; IPython has added the "\n" at the cell's end.

    >>> prompt_text("why?", "\n"), prompt_text("", " x \n\n"), prompt_text("a", "b\n")
    ('why?', ' x \n', 'a\nb')
    """
    body = (cell or "").removesuffix("\n")
    return f"{words}\n{body}" if words and body else words or body


def _registered(shell: Any) -> Ours:
    """Recognise our magics by the module of their functions."""

    def ours(kind: str, name: str) -> bool:
        function = shell.magics_manager.magics[kind].get(name)
        return str(getattr(function, "__module__", "")).startswith("ollama_magic.")

    return ours


class LineHook:
    """A transformer of a cell's lines; see design.md §2, «Reading a line»."""

    # Else check_complete sees no %%, and a terminal sends a %%chat cell after its first line.
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
        """Return the call for a cell that begins with one of our cell magics; None for any other."""
        indent = rows[0][: len(rows[0]) - len(rows[0].lstrip())]
        rows = [row.removeprefix(indent) for row in rows]  # as IPython does with a cell pasted with its indentation
        match = _CELL.match(rows[0])
        if match is None or not self._ours("cell", match[1]):
            return None
        body = "".join(rows[1:]) or "\n"  # run_cell_magic refuses an empty one
        return f"get_ipython().run_cell_magic({match[1]!r}, {match[2] or ''!r}, {body!r})\n"

    def _mentioned(self, text: str) -> bool:
        """Whether the text mentions one of our magics; of `%%map` there is no line magic."""
        names = set(re.findall(r"(%%?)(\w+)", text))
        return any(self._ours("line", name) or (signs == "%%" and self._ours("cell", name)) for signs, name in names)

    def _with_line_calls(self, rows: list[str]) -> list[str]:
        """Replace our line magics from top to bottom, tokenising anew after each."""
        seen = list(rows)  # for the tokeniser: each finished command, ours or not, becomes a 0
        start = 0
        while self._mentioned("".join(seen[start:])) and (found := _next_command(seen, start)):
            row, column, assigned, start = found
            last = _last_row(rows, row)
            late = _CELL.match(rows[row][column:])
            if late and self._ours("cell", late[1]):
                return [_refusal(late[1], rows[:row])]
            match = _LINE.match(_joined(rows, row, column, last))
            before, done = rows[row][:column], "\n" * (last - row)
            if match and self._ours("line", match[1]):
                text = ASSIGNED * assigned + (match[2] or "")
                rows[row : last + 1] = [f"{before}get_ipython().run_line_magic({match[1]!r}, {text!r})\n"]
                done = ""
            seen[row : last + 1] = [f"{before}0\n", *done]
        return rows


def _refusal(name: str, above: list[str]) -> str:
    """What stands for a whole cell in which something stands above a cell magic of ours: nothing of it is run."""
    comments = all(row.lstrip().startswith("#") or not row.strip() for row in above)
    cure = "put the comment below it, as part of the prompt, or remove it" if comments else "give it a cell of its own"
    said = f"`%%{name}` must begin the cell; {cure}."
    return f"raise __import__('ollama_magic.errors').errors.InputError({said!r})\n"


def _last_row(rows: list[str], row: int) -> int:
    """Return the row where a command that begins in `row` ends: a backslash at a row's end joins the next."""
    while row + 1 < len(rows) and rows[row].endswith(("\\\n", "\\\r\n")):
        row += 1
    return row


def _joined(rows: list[str], row: int, column: int, last: int) -> str:
    """Return the command's text on one line; like IPython, with a space for a backslash and its line end."""
    parts = [rows[row][column:], *rows[row + 1 : last + 1]]
    return " ".join([part.rstrip()[:-1] for part in parts[:-1]] + [re.sub(r"\r?\n\Z", "", parts[-1])])


def _next_command(rows: list[str], start: int) -> tuple[int, int, bool, int] | None:
    """Find the first statement, or right side of an assignment, that is a command.

    Returns (row, column, assigned, start of the next search); the next search starts at a row without indentation.
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
    """Yield the tokens of each logical line, as far as the text can be tokenised."""
    statement: list[tokenize.TokenInfo] = []
    try:
        for token in tokenize.generate_tokens(iter([*(_UNREADABLE.sub(" ", row) for row in rows), ""]).__next__):
            if token.type == tokenize.NEWLINE:
                yield statement
                statement = []
            elif token.type not in _QUIET and (token.string.strip() or token.type != tokenize.ERRORTOKEN):
                statement.append(token)
    except (tokenize.TokenError, SyntaxError):
        pass  # the rest is tokenised once the command above it is replaced
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
            warnings.simplefilter("ignore")  # the compiler will warn about the real statement
            statements = ast.parse("".join(parts) + " 0").body
    except (SyntaxError, ValueError):
        return False
    return len(statements) == 1 and isinstance(statements[0], ast.Assign | ast.AnnAssign)
