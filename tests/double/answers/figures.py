"""Replies about numbers in a prompt: a frame, named figures, a sum, a prime; each in English and Chinese."""

from __future__ import annotations

import operator
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

Both = tuple[str, str]  # English, Chinese
_PRIME = re.compile(r"\b(\d{1,10})\b[^\d.]{0,12}(?:\bprime\b|质数|素数)", re.IGNORECASE)
_ASKS_SUM = re.compile(r"what(?:'s| is)|calculate|compute|how much|=|多少|计算|等于|几", re.IGNORECASE)
_SUM = re.compile(
    r"(?<![\d.])(\d{1,9}) *(\+|-|−|\*|×|/|÷|times|plus|minus|divided by|乘以?|加上?|减去?|除以) *(\d{1,9})(?![\d.])",
    re.IGNORECASE,
)
_SIGNS = (
    {"plus": "+", "加": "+", "加上": "+", "minus": "-", "减": "-", "减去": "-", "−": "-"}
    | dict.fromkeys(("*", "times", "乘", "乘以"), "×")
    | dict.fromkeys(("/", "divided by", "除以"), "÷")
)
_WORK = {"+": operator.add, "-": operator.sub, "×": operator.mul, "÷": operator.truediv}
_TEX = {"×": r"\times", "÷": r"\div"}
_PAIR = re.compile(r"""['"]?([^\W\d_][\w -]{0,30}?)['"]? *[:=] *(-?\d+(?:\.\d+)?)(?![\w.])""")
_ROW = re.compile(r"^\s*\|(.+)\|\s*$", re.MULTILINE)


def prime(prompt: str) -> Both | None:
    """Whether a number is a prime, with the trial divisions as a thought."""
    asked = _PRIME.search(prompt)
    if not asked or int(asked.group(1)) < 2:
        return None
    number = int(asked.group(1))
    factor = next((n for n in range(2, int(number**0.5) + 1) if number % n == 0), number)
    tried = [n for n in (2, 3, 5, 7, 11, 13, 17, 19) if n <= min(factor, int(number**0.5))]
    thought = "\n".join(f"{number} = {number // n} × {n} + {number % n}" for n in tried)
    thought = f"<think>\n√{number} ≈ {number**0.5:.1f}\n{thought}\n</think>\n\n" if tried else ""
    if factor == number:
        return (
            f"{thought}Yes, **{number} is a prime number**: no number from 2 to $\\sqrt{{{number}}}$ divides it.",
            f"{thought}是的，**{number} 是质数**：从 2 到 $\\sqrt{{{number}}}$ 没有一个数能整除它。",
        )
    product = f"${number} = {factor} \\times {number // factor}$"
    return (
        f"{thought}No, **{number} is not a prime number**, because {product}.",
        f"{thought}不是，**{number} 不是质数**，因为 {product}。",
    )


def total(prompt: str) -> Both | None:
    """The result of one small sum, if the prompt asks for it."""
    asked = _SUM.search(prompt)
    if not asked or not _ASKS_SUM.search(prompt):
        return None
    sign = _SIGNS.get(asked.group(2).lower(), asked.group(2).lower())
    left, right = int(asked.group(1)), int(asked.group(3))
    if sign == "÷" and right == 0:
        return ("Nothing can be divided by $0$.", "任何数都不能除以 $0$。")
    result = _WORK[sign](left, right)
    shown = str(int(result)) if result == int(result) else f"{result:.6g}"
    thought = f"<think>\n{left} {sign} {right} = {shown}\n</think>\n\n"
    formula = f"${left} {_TEX.get(sign, sign)} {right} = {shown}$"
    return (f"{thought}{formula}, so the answer is **{shown}**.", f"{thought}{formula}，所以答案是 **{shown}** 。")


def figures(prompt: str) -> Both | None:
    """Named figures such as a dict's, sorted, with the largest and the smallest."""
    inside = re.search(r"\{([^{}]*)\}", prompt)
    pairs = [(name, float(value)) for name, value in _PAIR.findall(inside.group(1) if inside else "")]
    if len(pairs) < 2:
        return None
    pairs.sort(key=lambda pair: -pair[1])
    rows = "\n".join(f"| `{name}` | {_shown(value)} |" for name, value in pairs[:12])
    (most, highest), (least, lowest) = [(name, _shown(value)) for name, value in (pairs[0], pairs[-1])]
    english = f"By your figures **{most}** comes first with {highest} and **{least}** last with {lowest}:"
    chinese = f"按你发来的数字，最大的是 **{most}** （{highest}），最小的是 **{least}** （{lowest}）："
    return (f"{english}\n\n| | figure |\n| --- | ---: |\n{rows}", f"{chinese}\n\n| | 数值 |\n| --- | ---: |\n{rows}")


def frame(prompt: str) -> Both | None:
    """A Markdown table in the prompt, such as a filled-in DataFrame: its columns, and what is in them."""
    rows = [[cell.strip() for cell in row.split("|")] for row in _ROW.findall(prompt)]
    if len(rows) < 3 or not all(re.fullmatch(":?-+:?", cell) for cell in rows[1]):
        return None
    names, body = rows[0], [row for row in rows[2:] if len(row) == len(rows[0])]
    lines = [_column(name, [row[n] for row in body]) for n, name in enumerate(names) if name]
    table = "| --- | ---: | ---: | ---: |\n" + "\n".join(lines[:12])
    english = f"The table you sent has **{len(lines)} columns** and **{len(body)} rows**:"
    chinese = f"你发来的表格有 **{len(lines)} 列**、**{len(body)} 行**："
    return (
        f"{english}\n\n| column | lowest | highest | mean |\n{table}",
        f"{chinese}\n\n| 列 | 最小 | 最大 | 平均 |\n{table}",
    )


def _column(name: str, cells: Sequence[str]) -> str:
    numbers = [float(cell) for cell in cells if re.fullmatch(r"-?\d+(\.\d+)?", cell)]
    safe = name.replace("`", "'")
    if not numbers:
        return f"| `{safe}` | | | |"
    mean = sum(numbers) / len(numbers)
    return f"| `{safe}` | {_shown(min(numbers))} | {_shown(max(numbers))} | {_shown(mean)} |"


def _shown(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,.2f}"
