"""Bold text with a slip: `** Name:** x`, `**Yes ** go on`, `**Task:**You`. Bold where the line leaves no doubt."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Escapes, code spans and formulas hide asterisks; what is left are runs of them.
_PIECES = re.compile(r"\\.|(`+)[^`](?:.{0,500}?[^`])?\1(?!`)|\$[^$]{1,200}\$|\*+")
_OPERAND = re.compile(r"(?:^|[\s(=,])(?:\d[\d.]*|[A-Za-z])\s*$")
_OPERAND_AFTER = re.compile(r"\s*(?:\d|[A-Za-z](?![A-Za-z]))")
_KEYWORDS = re.compile(r"\s*\w*(?:kwargs|args|kw|opts|options|params)\b", re.IGNORECASE)
_CODE = re.compile(r"[=;{}\[\]]|\w\(")
_LABEL_END = re.compile(r"[:：.!?,;)\]…%]$")
_MOST = 100
_FREE_BEFORE = re.compile(r"(?:^|[\s([{>|•–—:-])$")
_FREE_AFTER = re.compile(r"$|[\s.,;:!?)\]}<|–—-]")


class Flanks(NamedTuple):
    """Whether a run of asterisks can open or close bold text."""

    opens: bool
    closes: bool


def loose_runs(text: str, flanks: Callable[[int], Flanks]) -> dict[int, Flanks]:
    """What the `**` of lines with a slip open and close, by offset; `flanks` says what CommonMark makes of each."""
    found: dict[int, Flanks] = {}
    start = 0
    for line in text.split("\n"):
        if line.count("**") > 1:
            found.update(_of_line(line, start, flanks))
        start += len(line) + 1
    return found


def _of_line(line: str, start: int, flanks: Callable[[int], Flanks]) -> Iterator[tuple[int, Flanks]]:
    runs = [piece.span() for piece in _PIECES.finditer(line) if piece.group().startswith("*")]
    pairs = _pairs(runs)
    fine = [flanks(start + opening).opens and flanks(start + closing).closes for opening, closing in pairs]
    if all(fine):
        return
    if all(right or _is_slip(line, *pair) for right, pair in zip(fine, pairs, strict=True)):
        for opening, closing in pairs:
            yield start + opening, Flanks(opens=True, closes=False)
            yield start + closing, Flanks(opens=False, closes=True)


def _pairs(runs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The runs of two by twos; none where their number is odd, or a longer run makes another reading possible."""
    doubles = [begin for begin, end in runs if end - begin == 2]
    if len(doubles) % 2 or len(doubles) > _MOST or any(end - begin > 2 for begin, end in runs):
        return []
    return list(zip(doubles[::2], doubles[1::2], strict=True))


def _is_slip(line: str, opening: int, closing: int) -> bool:
    """Whether the text between two runs was meant to be bold, although a space or a letter stands in the way."""
    before, content, after = line[:opening], line[opening + 2 : closing], line[closing + 2 :]
    if not content.strip() or _CODE.search(content) or _KEYWORDS.match(content):
        return False
    left, right = content[0].isspace(), content[-1].isspace()
    if left and right:
        return _begins_a_line(before) and content.lstrip()[0].isupper() and bool(_FREE_AFTER.match(after))
    if left:
        return _slips_at_its_begin(before, content, after)
    if right:
        return _slips_at_its_end(before, content, after)
    return bool(_FREE_BEFORE.search(before) and _closes_before_a_word(content, after))


def _begins_a_line(before: str) -> bool:
    return not before.strip(" \t•◦▪–—-#>0123456789.)")


def _slips_at_its_begin(before: str, content: str, after: str) -> bool:
    """`** Name:** x`; not `2 ** 3**`."""
    if _OPERAND.search(before) or not (_FREE_AFTER.match(after) or _LABEL_END.search(content)):
        return False
    return _begins_a_line(before) or (bool(_FREE_BEFORE.search(before)) and bool(re.match(r"\s+[^\W\d]{2}", content)))


def _slips_at_its_end(before: str, content: str, after: str) -> bool:
    """`**Yes ** go on`; not `**all, x ** y`."""
    between_operands = _OPERAND.search(content.rstrip()) and _OPERAND_AFTER.match(after)
    return bool(_FREE_BEFORE.search(before)) and not between_operands


def _closes_before_a_word(content: str, after: str) -> bool:
    """`**Task:**You`; a quotation mark closes only what was opened in the bold text."""
    if content[-1] in "\"'”’»":
        return content.count('"') % 2 == 0 and after[:1].isalnum()
    return bool(_LABEL_END.search(content)) and after[:1].isalnum()
