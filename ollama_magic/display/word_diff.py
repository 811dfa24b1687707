"""What changed between two texts: paragraph by paragraph, and by words within a paragraph. Pure."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Kind = Literal["same", "deleted", "inserted"]

WORDS = 1_500  # and spaces, of a paragraph; longer ones are compared by lines
BEGINNING = 4_000  # characters of a paragraph by which it is recognised
PAIRS = 2_500  # of paragraphs that are compared with each other
ALIKE = 0.35  # paragraphs that have less in common stand one below the other, each as a whole
_CJK = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uac00-\ud7af"
_WORD = re.compile(rf"\s+|[{_CJK}]|(?:(?![{_CJK}])\w)+|[^\w\s]")
_FENCE = re.compile(r"\s*(`{3,}|~{3,})")


@dataclass(frozen=True)
class Piece:
    """Words in a row that are the same, deleted or inserted."""

    kind: Kind
    text: str


@dataclass(frozen=True)
class Paragraph:
    """A paragraph, or a fence of code, as pieces."""

    pieces: tuple[Piece, ...]
    code: bool = False

    @property
    def changed(self) -> bool:
        """Whether anything in it is deleted or inserted."""
        return any(piece.kind != "same" for piece in self.pieces)


def compare(old: str, new: str) -> list[Paragraph]:
    """Return the paragraphs of both texts in their order, with what was deleted before what was inserted."""
    before, after = paragraphs_of(old), paragraphs_of(new)
    found: list[Paragraph] = []
    for tag, i, end_i, j, end_j in SequenceMatcher(None, before, after).get_opcodes():
        if tag == "equal":
            found += [_whole("same", text) for text in after[j:end_j]]
        else:
            found += _replaced(before[i:end_i], after[j:end_j])
    return found


def paragraphs_of(text: str) -> list[str]:
    """Return the paragraphs of a Markdown text; a fence is one, with its blank lines."""
    found: list[str] = []
    lines: list[str] = []
    fence = ""
    for line in text.strip("\n").split("\n"):
        match = _FENCE.match(line)
        if fence:
            lines.append(line)
            if match and match[1].startswith(fence):
                fence = ""
        elif match:
            fence = match[1]
            lines.append(line)
        elif line.strip():
            lines.append(line)
        elif lines:
            found.append("\n".join(lines))
            lines = []
    return [*found, "\n".join(lines)] if lines else found


def changed_words(paragraphs: Sequence[Paragraph], kind: Kind) -> int:
    """Return how many words were deleted, or inserted."""
    pieces = [piece for paragraph in paragraphs for piece in paragraph.pieces if piece.kind == kind]
    return sum(bool(word.strip()) and word[0].isalnum() for piece in pieces for word in _WORD.findall(piece.text))


def _replaced(before: list[str], after: list[str]) -> Iterator[Paragraph]:
    """Yield what became of some paragraphs: those that have much in common are compared by words."""
    i = j = 0
    for one, other in [*_alike(before, after), (len(before), len(after))]:
        yield from (_whole("deleted", text) for text in before[i:one])
        yield from (_whole("inserted", text) for text in after[j:other])
        if one < len(before):
            yield Paragraph(tuple(_by_words(before[one], after[other])), _is_code(after[other]))
        i, j = one + 1, other + 1


def _alike(before: list[str], after: list[str]) -> list[tuple[int, int]]:
    """Return the pairs of paragraphs that are versions of each other, in the order of both lists."""
    old, new = [_words(text) for text in before], [_words(text) for text in after]
    if len(old) * len(new) > PAIRS:
        return [(at, at) for at, pair in enumerate(zip(old, new, strict=False)) if _likeness(*pair) >= ALIKE]
    like = [[_likeness(one, other) for other in new] for one in old]
    best = [[0.0] * (len(new) + 1) for _ in range(len(old) + 1)]
    for i in reversed(range(len(old))):
        for j in reversed(range(len(new))):
            best[i][j] = max(best[i + 1][j], best[i][j + 1], _paired(like[i][j], best[i + 1][j + 1]))
    pairs, i, j = list[tuple[int, int]](), 0, 0
    while i < len(old) and j < len(new):
        if best[i][j] == best[i + 1][j]:
            i += 1
        elif best[i][j] == best[i][j + 1]:
            j += 1
        else:
            pairs.append((i, j))
            i, j = i + 1, j + 1
    return pairs


def _paired(likeness: float, rest: float) -> float:
    return likeness + rest if likeness >= ALIKE else 0.0


def _words(text: str) -> Counter[str]:
    """Return the words at the beginning of a paragraph; a mark makes code and prose no versions of each other."""
    words = Counter(word for word in _WORD.findall(text[:BEGINNING]) if not word.isspace())
    return Counter({f"\0{word}": count for word, count in words.items()}) if _is_code(text) else words


def _likeness(one: Counter[str], other: Counter[str]) -> float:
    """Return from 0 to 1 how many of their words two paragraphs share."""
    return 2 * sum((one & other).values()) / max(1, sum(one.values()) + sum(other.values()))


def _by_words(old: str, new: str) -> Iterator[Piece]:
    before, after = _WORD.findall(old), _WORD.findall(new)
    long = max(len(before), len(after)) > WORDS
    if long:
        before, after = old.splitlines(keepends=True), new.splitlines(keepends=True)
    opcodes = SequenceMatcher(None, before, after, autojunk=long).get_opcodes()
    steps = [(tag == "equal", "".join(before[i:k]), "".join(after[j:m])) for tag, i, k, j, m in opcodes]
    inner = range(1, len(steps) - 1)
    lone = {at for at in inner if steps[at][0] and steps[at][1].isspace()}  # a space between two changes
    for same, group in groupby(range(len(steps)), lambda at: steps[at][0] and at not in lone):
        places = list(group)
        deleted, inserted = "".join(steps[at][1] for at in places), "".join(steps[at][2] for at in places)
        if same:
            yield Piece("same", inserted)
        else:
            yield from [Piece("deleted", deleted)] if deleted else []
            yield from [Piece("inserted", inserted)] if inserted else []


def _whole(kind: Kind, text: str) -> Paragraph:
    return Paragraph((Piece(kind, text),), _is_code(text))


def _is_code(text: str) -> bool:
    return bool(_FENCE.match(text))
