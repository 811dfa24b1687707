r"""TeX between `$`, `$$`, `\(…\)`, `\[…\]`: shielded from emphasis, told from prices, refused where it could do harm.

What is to be typeset is marked with `PROCESS`; the display wraps the whole answer in `mathjax_ignore tex2jax_ignore`
(MathJax 3 of JupyterLab and MathJax 2 of exported HTML). JupyterLab's MathJax looks into any element of class
`mathjax_process`, so what is never typeset still reads as code, with its delimiters.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ollama_magic.foreign import visible

if TYPE_CHECKING:
    from markdown_it.rules_block.state_block import StateBlock
    from markdown_it.rules_inline.state_inline import StateInline

PROCESS = "mathjax_process tex2jax_process"
TEX_LIMIT = 5_000
REACH = 20_000  # characters in which a block must be closed, or it is none

_CLOSING = {"$": "$", "$$": "$$", "\\(": "\\)", "\\[": "\\]"}
_DOLLARS = re.compile(r"\$((?:[^$\\]|\\.){1,5000})\$(?!\$)", re.DOTALL)
_COMMAND = re.compile(r"\\[A-Za-z]")
_STRONG = re.compile(r"\\[A-Za-z]|[\^_{]")
_WORD = re.compile(
    "(?<![\\\\A-Za-z])[A-Za-zÀ-ÖØ-öø-ÿ\u0400-\u04ff]{2,}(?![A-Za-z({_^])|[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7ff]"
)
_PRICE_THEN_WORDS = re.compile(r"\d[\d.,]*\s?[A-Za-z%]?(?:\s+[^\s\\]*){0,2}?[\s*_]+[A-Za-z]{2,}[\s,.;:*_]")
_OPERATOR = re.compile(r"[=+\-*/<>≤≥≈×·]")
_ALNUM = re.compile(r"[A-Za-z0-9]")

_FORBIDDEN = re.compile(
    r"\\(?:href|url|class|style|cssId|data|unicode|require|html\w*|mmlToken|toggle|mathtip|texttip|tooltip|bbox|input|include"
    r"\w*|[gex]?def|let|futurelet|csname|expandafter|catcode|(?:re|provide|new)?newcommand|(?:re|provide)command|"
    r"(?:re)?newenvironment|Declare\w*|[nN]ewextarrow|Newextarrow|(?:re)?newtagform|usetagform|mathtoolsset|setOptions|"
    r"definecolor|label|(?:eq|page)?ref|r?lap|llap|math[lr]lap|move(?:left|right)|raise|lower|write\w*|read|special|"
    r"immediate|openout|openin|loop|repeat|begingroup\w*|enclose\s*\{[^}]*\}\s*\[)(?![A-Za-z])"
)
_TAG = re.compile(r"\\tag\*?\s*\{(?![\w.*′'\-]{1,12}\})")
# A colour is a name or a number; whatever else stands there ends up in an attribute of the page.
_STRANGE_COLOUR = re.compile(
    r"\\(?:(?:text)?color|colorbox)(?![A-Za-z])(?!\s*(?:\[[A-Za-z]+\]\s*)?\{\s*[#\w][\w.,!\s-]*\})|\\fcolorbox(?![A-Za-z])"
)
_LENGTH = re.compile(r"(-?\d*\.?\d+)\s*(em|ex|px|pt|pc|mm|cm|in|mu|rem|vw|vh|bp|dd|cc|sp)(?![A-Za-z])")
_PER_EM = {"ex": 2.0, "px": 16, "pt": 12, "pc": 1, "mm": 4, "cm": 0.4, "in": 0.16, "mu": 18, "bp": 12, "sp": 700_000}
_COMMANDS_IN_A_ROW = re.compile(r"(?:\\[A-Za-z]+[\s{]*){25,}")
_COMMENT = re.compile(r"(?<!\\)(?:\\\\)*%")


def math_inline(state: StateInline, silent: bool) -> bool:
    """Read one formula inside a line of text; a token's content keeps its delimiters."""
    if state.src[state.pos] not in "$\\":
        return False
    end = _formula_end(state.src, state.pos, state.posMax)
    if end < 0:
        return False
    if not silent:
        state.push("math_inline", "samp", 0).content = state.src[state.pos : end]
    state.pos = end
    return True


def math_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Read display math that begins a line; until it is closed nothing behind its first line is final (design §3)."""
    pos = state.bMarks[start] + state.tShift[start]
    line = state.src[pos : state.eMarks[start]]
    if line[:2] not in ("$$", "\\[") or state.is_code_block(start) or not _opens_block(line):
        return False
    closing = _closing_line(state, pos, start, end)
    if closing == _NEVER:
        return False
    if silent:
        return True
    if closing == _NOT_YET:
        _push_unclosed(state, start, end)
    else:
        _push_block(state, start, closing)
    return True


def settable(formula: str) -> bool:
    """Whether a formula, with its delimiters, may go to MathJax: it is small, and of harmless commands only."""
    tex = formula[2:-2] if formula[:2] in _CLOSING else formula[1:-1]
    return (
        len(tex) <= TEX_LIMIT
        and bool(tex.strip())
        and visible(formula) == formula
        and not _FORBIDDEN.search(tex)
        and not _TAG.search(tex)
        and not _COMMENT.search(tex)
        and not _STRANGE_COLOUR.search(tex)
        and not _COMMANDS_IN_A_ROW.search(tex)
        and tex.count("\\left") + tex.count("\\begin") <= 60
        and _balanced(tex)
        and _stays_in_place(tex)
    )


def _formula_end(text: str, pos: int, stop: int) -> int:
    """Where the formula that begins at `pos` ends, or -1."""
    opening = text[pos : pos + 2]
    if opening == "$$":
        return _double_end(text, pos, stop)
    if opening in ("\\(", "\\["):
        end = _find(text, _CLOSING[opening], pos + 2, min(stop, pos + REACH))
        return end + 2 if end >= 0 and _ALNUM.search(text, pos + 2, end) else -1
    return _single_end(text, pos, stop) if text[pos] == "$" else -1


def _double_end(text: str, pos: int, stop: int) -> int:
    if text[pos + 2 : pos + 3] == "$" or _inside_run(text, pos):
        return -1
    end = _find(text, "$$", pos + 2, min(stop, pos + REACH))
    content = text[pos + 2 : end] if end >= 0 else ""
    if not content.strip() or text[end + 2 : end + 3] == "$" or _reads_as_prose(content):
        return -1
    return end + 2


def _single_end(text: str, pos: int, stop: int) -> int:
    """The end of `$…$`: the next dollar closes it, or it is none (prices, shell variables)."""
    found = _DOLLARS.match(text, pos, stop)
    if not found or _inside_run(text, pos) or not found[1].strip():
        return -1
    content, before, after = found[1], text[pos - 1 : pos], text[found.end() : found.end() + 1]
    if content[0].isspace() and (before.isdigit() or text[:pos].rstrip()[-1:].isdigit()):
        return -1
    fits = _may_follow(before, content) and _may_precede(content, after) and _is_formula(content)
    return found.end() if fits else -1


def _is_formula(content: str) -> bool:
    evenly_spaced = content[0].isspace() == content[-1].isspace()
    return (
        evenly_spaced and "`" not in content and content.strip()[0] not in ")]},.;:!?" and not _reads_as_prose(content)
    )


def _may_follow(before: str, content: str) -> bool:
    r"""`3$\times$`, but not `US$5`."""
    if not _joins(before):
        return True
    return not (content[0].isspace() or content[0].isdigit()) and bool(_STRONG.search(content))


def _may_precede(content: str, after: str) -> bool:
    r"""`$n$th` and `$\times$3`, but neither `$5-$10` nor `$HOME/$USER`."""
    if not _joins(after):
        return True
    if after.isdigit():
        return not content[0].isdigit() and bool(_COMMAND.search(content))
    if not (content[-1].isalnum() or content[-1] in ")]}|!'"):
        return False
    return bool(_STRONG.search(content)) or not re.fullmatch("[A-Za-z]{2,}", content)


def _joins(char: str) -> bool:
    return char.isascii() and char.isalnum()


def _inside_run(text: str, pos: int) -> bool:
    return text[pos - 1 : pos] == "$" and pos > 0 and text[pos - 2 : pos - 1] != "\\"


def _reads_as_prose(content: str) -> bool:
    """Whether the text between two dollars is words or a price rather than TeX."""
    if _PRICE_THEN_WORDS.match(content.strip()):
        return True
    if _STRONG.search(content):
        return False
    words = len(_WORD.findall(content))
    return words > 0 and (content.strip()[0].isdigit() or words > 3 or (words > 1 and not _OPERATOR.search(content)))


def _find(text: str, closing: str, start: int, stop: int) -> int:
    """Like `str.find`, passing over a closing delimiter behind an odd number of backslashes."""
    while (found := text.find(closing, start, stop)) >= 0:
        slashes = 0
        while found - slashes > 0 and text[found - slashes - 1] == "\\":
            slashes += 1
        if slashes % 2 == 0:
            return found
        start = found + 1
    return -1


_NEVER, _NOT_YET = -2, -1


def _opens_block(line: str) -> bool:
    """Whether this line alone, once complete, says that display math begins here."""
    rest, closing = line[2:], _CLOSING[line[:2]]
    if rest.startswith("$"):
        return False
    end = _find(rest, closing, 0, len(rest))
    if end >= 0:
        return bool(_ALNUM.search(rest[:end])) and rest[end + 2 :].strip(" \t.,;") == ""
    return not rest.strip() or bool(_STRONG.search(rest))


def _closing_line(state: StateBlock, pos: int, start: int, end: int) -> int:
    """The line that closes the block; `_NOT_YET` where the text ends first, `_NEVER` where nothing can close it now."""
    found = _find(state.src, _CLOSING[state.src[pos : pos + 2]], pos + 2, pos + REACH)
    line = start
    while True:
        if 0 <= found < state.eMarks[line]:
            return line
        line += 1
        if line >= end:
            break
        outdented = state.sCount[line] < state.blkIndent and not state.isEmpty(line)
        if outdented or state.bMarks[line] > pos + REACH:
            return _NEVER
    if len(state.src) > pos + REACH:
        return _NEVER
    state.env["open_math"] = min(start, state.env.get("open_math", start))
    return _NOT_YET


def _push_block(state: StateBlock, start: int, closing: int) -> None:
    """The formula, and what stands behind it on its last line as a paragraph of its own."""
    source = state.getLines(start, closing + 1, state.blkIndent, False).lstrip()
    end = _find(source, _CLOSING[source[:2]], 2, len(source)) + 2
    token = state.push("math_block", "pre", 0)
    token.content, token.map = source[:end], [start, closing + 1]
    rest = source[end:].strip()
    if rest:
        state.push("paragraph_open", "p", 1)
        inline = state.push("inline", "", 0)
        inline.content, inline.children = rest, []
        state.push("paragraph_close", "p", -1)
    state.line = closing + 1


def _push_unclosed(state: StateBlock, start: int, end: int) -> None:
    """What has no closing delimiter is shown as it stands, up to the next blank line."""
    line = start + 1
    while line < end and not state.isEmpty(line) and state.sCount[line] >= state.blkIndent:
        line += 1
    token = state.push("math_unclosed", "pre", 0)
    token.content, token.map = state.getLines(start, line, state.blkIndent, False), [start, line]
    state.line = line


def _balanced(tex: str) -> bool:
    """Whether the braces match, not too deep: MathJax looks for the end of a formula outside of braces."""
    depth = 0
    for brace in re.findall(r"\\.|[{}]", tex, re.DOTALL):
        depth += (brace == "{") - (brace == "}")
        if not 0 <= depth <= 30:
            return False
    return depth == 0


def _stays_in_place(tex: str) -> bool:
    """Whether no length pushes the formula out of its box."""
    lengths = [float(number) / _PER_EM.get(unit, 1) for number, unit in _LENGTH.findall(tex)]
    backwards = sum(length for length in lengths if length < 0) - 0.2 * tex.count("\\!")
    return all(length <= 20 for length in lengths) and sum(lengths) <= 60 and backwards >= -6
