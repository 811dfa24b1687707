"""Emphasis in scripts without spaces, slips of bold text, and Python's `__names__`; all else as CommonMark has it."""

from __future__ import annotations

import re
from unicodedata import category

from markdown_it.common.utils import isMdAsciiPunct, isPunctChar, isWhiteSpace
from markdown_it.rules_inline.state_inline import Scanned, StateInline

from ollama_magic.markdown.loose_bold import Flanks, loose_runs

# Chinese, Japanese and Korean; Thai, Lao, Burmese and Khmer
_NO_SPACES = re.compile(
    "[\u0e01-\u0e5b\u0e81-\u0eff\u1000-\u109f\u1780-\u17ff\u19e0-\u19ff\ua9e0-\ua9ff\uaa60-\uaa7f"
    "\u1100-\u11ff\u2e80-\u2fdf\u2ff0-\u303f\u3040-\u30ff\u3100-\u318f\u31a0-\u31ff\u3200-\u9fff\ua960-\ua97f"
    "\uac00-\ud7ff\uf900-\ufaff\ufe10-\ufe1f\ufe30-\ufe6f\uff01-\uffee\U00016fe0-\U00018dff\U0001aff0-\U0001b16f"
    "\U0001f200-\U0001f2ff\U00020000-\U0003ffff]"
)
_DUNDER = re.compile(
    r"__(?:[a-z][a-z0-9_]*__(?=\()|(?:init|new|del|name|main|file|doc|dict|all|call|class|import|version|module|slots|repr|str"
    r"|bytes|format|len|bool|int|float|hash|eq|ne|lt|le|gt|ge|iter|next|contains|[gs]etitem|delitem|[gs]et|delete|set_name"
    r"|[gs]etattr|delattr|getattribute|a?enter|a?exit|aiter|anext|await|r?(?:add|sub|mul|truediv|floordiv|mod|pow|matmul)"
    r"|iadd|neg|abs|invert|init_subclass|post_init|annotations|builtins|future|globals|self|code|wrapped|qualname|mro"
    r"|bases|subclasses|package|path|spec|loader|debug|reduce|copy|deepcopy|sizeof|index|missing|reversed)__(?![\w]))"
)


def dunder(state: StateInline, silent: bool) -> bool:
    """Leave the names of Python's special attributes, and `__calls__(…)`, as they are typed: they are not bold."""
    if state.src[state.pos] != "_" or (state.pos > 0 and state.src[state.pos - 1] == "_"):
        return False
    found = _DUNDER.match(state.src, state.pos, state.posMax)
    if not found:
        return False
    if not silent:
        state.pending += found.group()
    state.pos = found.end()
    return True


class InlineState(StateInline):
    """The inline state; runs of delimiters beside a script without spaces flank by white space alone."""

    _loose: dict[int, Flanks] | None = None

    def scanDelims(self, start: int, canSplitWord: bool) -> Scanned:  # noqa: N802, N803 (markdown-it's names)
        """Whether the run at `start` can open and close emphasis, and its length."""
        scanned = self._flanking(start, canSplitWord)
        if self.src[start] != "*" or scanned.length != 2:
            return scanned
        if self._loose is None:
            self._loose = loose_runs(self.src, self._flanks_of_bold)
        loose = self._loose.get(start)
        return Scanned(loose.opens, loose.closes, 2) if loose else scanned

    def _flanks_of_bold(self, start: int) -> Flanks:
        scanned = self._flanking(start, True)
        return Flanks(scanned.can_open, scanned.can_close)

    def _flanking(self, start: int, can_split_word: bool) -> Scanned:
        text, marker, end = self.src, self.src[start], start
        before = text[start - 1] if start > 0 else " "
        while end < self.posMax and text[end] == marker:
            end += 1
        after = text[end] if end < self.posMax else " "
        if (before < "\u0e00" and after < "\u0e00") or not (_NO_SPACES.match(before) or _NO_SPACES.match(after)):
            return super().scanDelims(start, can_split_word)
        opens, closes = not isWhiteSpace(ord(after)), not isWhiteSpace(ord(before))
        if can_split_word or not (opens and closes):
            return Scanned(opens, closes, end - start)
        # `_` inside a word stays (`方法__init__是`), but not where punctuation shows which side is the inner one
        opens = _punctuation(before) or category(after) in ("Ps", "Pi")
        closes = _punctuation(after) or category(before) in ("Pe", "Pf", "Po")
        return Scanned(opens, closes, end - start)


def _punctuation(char: str) -> bool:
    return isMdAsciiPunct(ord(char)) or isPunctChar(char)
