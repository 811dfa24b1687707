"""A picture whose data stand in the text is its words: nobody reads a wall of base64."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it.rules_inline.state_inline import StateInline

# Also where the text ends in the middle of the data: it grows, or was cut.
_IMAGE = re.compile(
    r"!\[(?P<alt>[^\[\]\n]{0,1000})\]\(\s*<?data:[a-z]+/[^\s)>]*(?:>|(?=\s|\)|$))(?:\s+(?:\"[^\"\n]*\"|'[^'\n]*'))?\s*(?:\)|$)",
    re.IGNORECASE,
)


def data_image(state: StateInline, silent: bool) -> bool:
    """Read `![words](data:image/png;base64,…)`."""
    if state.src[state.pos] != "!":
        return False
    found = _IMAGE.match(state.src, state.pos, state.posMax)
    if not found:
        return False
    if not silent:
        token = state.push("image", "img", 0)
        token.content, token.attrs = found["alt"], {"src": ""}
    state.pos = found.end()
    return True
