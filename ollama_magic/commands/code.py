"""`%ollama code`: the code of the newest answer as a new cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ollama_magic.commands.command import CommandContext, CommandResult, command
from ollama_magic.display.tables import Shown, notice, stacked
from ollama_magic.errors import InputError
from ollama_magic.foreign import printable
from ollama_magic.line.options import Argument
from ollama_magic.turns.turn_value import RUNNING
from ollama_magic.turns.wording import counted

if TYPE_CHECKING:
    from ollama_magic.answer_types.answer_json import CodeBlock
    from ollama_magic.conversation.session import Session

ALL = 0
PYTHON = frozenset({"", "python", "py", "python3", "ipython", "ipython3", "pycon"})
_COLOUR_S = 0.25


def _which(text: str) -> int:
    if text.lower() == "all":
        return ALL
    if not text.isdecimal() or int(text) < 1:
        raise ValueError("is the number of a code block, counted from 1, or all")
    return int(text)


@command(
    "code",
    "work",
    "Insert a code block of the newest answer as a new cell.",
    Argument("N|all", required=False, read=_which),
    notes="Without a number it is the first block in Python, else the first. `all` puts all blocks into one new cell, "
    "because front ends insert one cell for each run. The cell does not run by itself.",
    examples=("code", "code 2", "code all", "text = %ollama code all"),
)
def code(context: CommandContext, arguments: Any) -> CommandResult:
    """Insert code of the newest answer below; the data is its text, and an assignment inserts nothing."""
    from ollama_magic.answer_types.answer_json import code_blocks

    blocks = code_blocks(_newest_answer(context.session))
    if not blocks:
        raise InputError("The newest answer has no code block; ask for code, then run `%ollama code`.")
    chosen = _chosen(blocks, arguments.n_all)
    text = printable("\n\n".join(block.text.rstrip("\n") for block in chosen))
    if context.insert is None:
        return CommandResult(text)
    refused = context.insert(text)
    if refused:
        line = notice(f"Shown, not inserted, because {refused}: {_named(blocks, chosen)}.")
        return CommandResult(text, stacked(_block(text, chosen[0].language), line))
    return CommandResult(text, notice(f"Inserted as a new cell: {_named(blocks, chosen)}.{_others(blocks, chosen)}"))


def _newest_answer(session: Session) -> str:
    """Return the text of the newest answer in this notebook: of its last turn, else of the stored conversation."""
    last = session.last
    if last is not None and last.conversation in (None, session.current):
        if last.state == RUNNING:
            raise InputError("The newest answer is still running; `%ollama code` takes its code when it is complete.")
        if last.text and session.sent.has(last.request):  # else it was erased
            return last.text
    turns = [turn for turn in session.conversation().turns if turn.state != RUNNING]
    if not turns:
        raise InputError("There is no answer yet; run a cell that begins with `%%chat`.")
    return max(turns, key=lambda turn: turn.number).text


def _chosen(blocks: list[CodeBlock], which: int | None) -> list[CodeBlock]:
    if which == ALL:
        return blocks
    if which is None:
        return [next((block for block in blocks if block.language.lower() in PYTHON), blocks[0])]
    if which > len(blocks):
        has = counted(len(blocks), "code block")
        raise InputError(f"The newest answer has {has}; `%ollama code {len(blocks)}` takes the last one.")
    return [blocks[which - 1]]


def _named(blocks: list[CodeBlock], chosen: list[CodeBlock]) -> str:
    if len(chosen) > 1:
        return f"all {len(chosen)} code blocks of the answer"
    if len(blocks) == 1:
        return "the code block of the answer"
    place = next(place for place, block in enumerate(blocks, 1) if block is chosen[0])
    return f"code block {place} of {len(blocks)}"


def _others(blocks: list[CodeBlock], chosen: list[CodeBlock]) -> str:
    """Return how to get the other blocks; empty if there are none."""
    if len(blocks) == len(chosen):
        return ""
    return f" `%ollama code N` inserts another one, `%ollama code all` all {len(blocks)} in one cell."


def _block(text: str, language: str) -> Shown:
    from ollama_magic.markdown.code import highlighted

    html = highlighted(text, language or "python", _COLOUR_S)
    return Shown(f'<div class="highlight"><pre>{html}</pre></div>', text)
