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
    from markdown_it.rules_inline.state_inline import StateInline

PROCESS = "mathjax_process tex2jax_process"
TEX_LIMIT = 5_000
REACH = 20_000  # characters in which a block must be closed, or it is none

CLOSING = {"$": "$", "$$": "$$", "\\(": "\\)", "\\[": "\\]"}
_DOLLARS = re.compile(r"\$((?:[^$\\]|\\.){1,5000})\$(?!\$)", re.DOTALL)
_COMMAND = re.compile(r"\\[A-Za-z]")
STRONG = re.compile(r"\\[A-Za-z]|[\^_{]")
WORD = re.compile(
    "(?<![\\\\A-Za-z])[A-Za-zÀ-ÖØ-öø-ÿ\u0400-\u04ff]{2,}(?![A-Za-z({_^])|[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7ff]"
)
_PRICE_THEN_WORDS = re.compile(r"\d[\d.,]*\s?[A-Za-z%]?(?:\s+[^\s\\]*){0,2}?[\s*_]+[A-Za-z]{2,}[\s,.;:*_]")
OPERATOR = re.compile(r"[=+\-*/<>≤≥≈×·]")
ALNUM = re.compile(r"[A-Za-z0-9]")

# Environments of mathematics: those that stand on lines of their own, and parts of a formula.
_DISPLAY = r"(?:align|alignat|flalign|gather|multline|equation|eqnarray)\*?"
_PART = r"(?:aligned|alignedat|gathered|split|cases|dcases|rcases|array|subarray|(?:small|[pbvBV])?matrix)\*?"
_ENVIRONMENT = re.compile(rf"\\begin\{{({_DISPLAY}|{_PART})\}}")
DISPLAYED = re.compile(rf"\\begin\{{{_DISPLAY}\}}")
# `$1 = R$ 5,40`: the second dollar is part of the sign of a currency
_CURRENCY = re.compile(r"\d.*(?:^|[^A-Za-z\\])(?:R|US|AU?|CA?|NZ|HK|SG?|NT|MX|Mex|AR|CLP?|COL?|TT|BZ|J|Z)", re.DOTALL)
_AMOUNT = re.compile(r"\s?\d")

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
    end = formula_end(state.src, state.pos, state.posMax)
    if end < 0:
        return False
    if not silent:
        formula = state.src[state.pos : end]
        part = formula.startswith("\\begin") and not DISPLAYED.match(formula)
        state.push("math_inline", "samp", 0).content = f"${formula}$" if part else formula
    state.pos = end
    return True


def environment_end(text: str) -> str:
    r"""What closes the environment that a text begins with: `\end{align}` for `\begin{align}`; "" if it is no math."""
    found = _ENVIRONMENT.match(text)
    return f"\\end{{{found[1]}}}" if found else ""


def settable(formula: str) -> bool:
    """Whether a formula, with its delimiters, may go to MathJax: it is small, and of harmless commands only."""
    tex = _without_delimiters(formula)
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


def _without_delimiters(formula: str) -> str:
    if environment_end(formula):
        return formula
    return formula[2:-2] if formula[:2] in CLOSING else formula[1:-1]


def formula_end(text: str, pos: int, stop: int) -> int:
    """Where the formula that begins at `pos` ends, or -1."""
    opening = text[pos : pos + 2]
    if opening == "$$":
        return _double_end(text, pos, stop)
    if opening == "\\b":
        return _environment_end(text, pos, stop)
    if opening in ("\\(", "\\["):
        end = find_closing(text, CLOSING[opening], pos + 2, min(stop, pos + REACH))
        return end + 2 if end >= 0 and ALNUM.search(text, pos + 2, end) else -1
    return _single_end(text, pos, stop) if text[pos] == "$" else -1


def _environment_end(text: str, pos: int, stop: int) -> int:
    closing = environment_end(text[pos : pos + 30])
    end = text.find(closing, pos, min(stop, pos + REACH)) if closing else -1
    return end + len(closing) if end >= 0 else -1


def _double_end(text: str, pos: int, stop: int) -> int:
    if text[pos + 2 : pos + 3] == "$" or _inside_run(text, pos):
        return -1
    end = find_closing(text, "$$", pos + 2, min(stop, pos + REACH))
    content = text[pos + 2 : end] if end >= 0 else ""
    if not content.strip() or text[end + 2 : end + 3] == "$" or reads_as_prose(content):
        return -1
    return end + 2


def _single_end(text: str, pos: int, stop: int) -> int:
    """The end of `$…$`: the next dollar closes it, or it is none (prices, shell variables)."""
    found = _DOLLARS.match(text, pos, stop)
    if not found or _inside_run(text, pos) or not found[1].strip():
        return -1
    content, before, after = found[1], text[pos - 1 : pos], text[found.end() : found.end() + 1]
    if _CURRENCY.fullmatch(content) and _AMOUNT.match(text, found.end()):
        return -1
    if content[0].isspace() and (before.isdigit() or text[:pos].rstrip()[-1:].isdigit()):
        return -1
    fits = _may_follow(before, content) and _may_precede(content, after) and _is_formula(content)
    return found.end() if fits else -1


def _is_formula(content: str) -> bool:
    evenly_spaced = content[0].isspace() == content[-1].isspace()
    return (
        evenly_spaced and "`" not in content and content.strip()[0] not in ")]},.;:!?" and not reads_as_prose(content)
    )


def _may_follow(before: str, content: str) -> bool:
    r"""`3$\times$`, but not `US$5`."""
    if not _joins(before):
        return True
    return not (content[0].isspace() or content[0].isdigit()) and bool(STRONG.search(content))


def _may_precede(content: str, after: str) -> bool:
    r"""`$n$th` and `$\times$3`, but neither `$5-$10` nor `$HOME/$USER`."""
    if not _joins(after):
        return True
    if after.isdigit():
        return not content[0].isdigit() and bool(_COMMAND.search(content))
    if not (content[-1].isalnum() or content[-1] in ")]}|!'"):
        return False
    return bool(STRONG.search(content)) or not re.fullmatch("[A-Za-z]{2,}", content)


def _joins(char: str) -> bool:
    return char.isascii() and char.isalnum()


def _inside_run(text: str, pos: int) -> bool:
    return text[pos - 1 : pos] == "$" and pos > 0 and text[pos - 2 : pos - 1] != "\\"


def reads_as_prose(content: str) -> bool:
    """Whether the text between two dollars is words or a price rather than TeX."""
    if _PRICE_THEN_WORDS.match(content.strip()):
        return True
    if STRONG.search(content):
        return False
    words = len(WORD.findall(content))
    return words > 0 and (content.strip()[0].isdigit() or words > 3 or (words > 1 and not OPERATOR.search(content)))


def find_closing(text: str, closing: str, start: int, stop: int) -> int:
    """Like `str.find`, passing over a closing delimiter behind an odd number of backslashes."""
    while (found := text.find(closing, start, stop)) >= 0:
        slashes = 0
        while found - slashes > 0 and text[found - slashes - 1] == "\\":
            slashes += 1
        if slashes % 2 == 0:
            return found
        start = found + 1
    return -1


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
