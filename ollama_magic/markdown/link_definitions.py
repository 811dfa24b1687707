"""Link definitions: read as CommonMark does, and shown where no link uses them: they name sources."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

from markdown_it.common.utils import normalizeReference
from markdown_it.rules_block.reference import reference

from ollama_magic.markdown.link_html import anchor
from ollama_magic.markdown.links import allowed

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from markdown_it.rules_block.state_block import StateBlock
    from markdown_it.token import Token

DEFINITION = "definition"
_LONGEST_DATA = 40
_LABEL = re.compile(r"\[((?:\\.|[^\]\\])*)\]:", re.DOTALL)


class References(dict[str, Any]):
    """Link definitions, first one wins.

    Notes which labels were found when a link asked for them, and which were not, since they may be defined later.
    """

    def __init__(self, known: dict[str, Any] | None = None) -> None:
        super().__init__(known or {})
        self.missed: set[str] = set()
        self.used: set[str] = set()

    def get(self, label: str, default: Any = None) -> Any:
        """The definition of a label, for a link."""
        found = super().get(label)
        (self.missed if found is None else self.used).add(label)
        return default if found is None else found


def definition(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Read a definition, and leave a token where it stands."""
    if silent or not reference(state, start, end, silent):
        return False
    source = state.getLines(start, state.line, state.blkIndent, False).strip()
    found = _LABEL.match(source)
    label = found[1] if found else ""
    token = state.push(DEFINITION, "", 0)
    token.content, token.info = label, source[len(label) + 3 :].strip()
    token.markup, token.map = normalizeReference(label), [start, state.line]
    return True


def definitions_html(tokens: Sequence[Token], used: Collection[str]) -> str:
    """The definitions that stand together and are not used, as a paragraph; "" if there are none."""
    lines = [_line(token) for token in tokens if token.markup not in used]
    joined = "<br>\n".join(lines)
    return f"<p>{joined}</p>\n" if lines else ""


def _line(token: Token) -> str:
    target, space, title = token.info.partition(" ")
    target = target.strip("<>\n")
    if target.lower().startswith("data:") and len(target) > _LONGEST_DATA:
        target = target[:_LONGEST_DATA] + "…"
    shown = escape(target, quote=False)
    if allowed(target) and not target.startswith("#"):
        shown = f"{anchor(target)}{shown}</a>"
    return f"[{escape(token.content, quote=False)}]: {shown}{space}{escape(title, quote=False)}"


@dataclass
class Definitions:
    """Which labels the finished blocks of an answer use, and which blocks show definitions."""

    uses: Counter[str] = field(default_factory=Counter)
    _of_block: dict[int, set[str]] = field(default_factory=dict)
    _shown_by: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))

    def note_block(self, index: int, tokens: Sequence[Token]) -> bool:
        """Note which definitions stand in a block; whether there are any."""
        labels = {token.markup for token in tokens if token.type == DEFINITION}
        for label in labels:
            self._shown_by[label].add(index)
        return bool(labels)

    def note_uses(self, index: int, used: set[str]) -> set[int]:
        """Note which labels a block uses; the blocks whose definitions appear or vanish by that."""
        before = self._of_block.get(index, set())
        if used == before:
            return set()
        self._of_block[index] = used
        changed = {label for label in used - before if not self.uses[label]}
        changed |= {label for label in before - used if self.uses[label] == 1}
        self.uses.update(used - before)
        self.uses.subtract(before - used)
        return set().union(*(self._shown_by.get(label, set()) for label in changed))

    def used(self) -> set[str]:
        """The labels that some finished block uses."""
        return {label for label, count in self.uses.items() if count > 0}
