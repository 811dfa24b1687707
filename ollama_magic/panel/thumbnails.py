"""Small pictures of attachments, for the widgets of a panel alone: outputs hold no image data."""

from __future__ import annotations

import base64
from functools import lru_cache
from html import escape
from typing import TYPE_CHECKING

from ollama_magic.attachments.reading import Limits
from ollama_magic.attachments.sources import read_source
from ollama_magic.errors import OllamaMagicError
from ollama_magic.foreign import one_line, visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ollama_magic.turns.attachment import Attachment

SIDE = 96  # pixels
_LONGEST = 60_000  # characters of a picture; a larger one, as without Pillow, is shown by its name


def thumbnails_html(attachments: Sequence[Attachment]) -> str:
    """Return the attachments of a prompt as HTML: a small picture or the kind, and the name."""
    figures = "".join(_figure(one) for one in attachments)
    return f'<div class="ollama-magic-attached">{figures}</div>' if figures else ""


def _figure(attachment: Attachment) -> str:
    name = escape(visible(one_line(attachment.name, 120)))
    title = escape(visible(one_line(", ".join(filter(None, (attachment.kind, attachment.note))), 300)))
    address = _address(attachment) if attachment.kind == "image" else ""
    picture = f'<img src="{address}" alt="">' if address else f"<b>{attachment.kind}</b>"
    return f'<figure title="{title}">{picture}<figcaption>{name}</figcaption></figure>'


@lru_cache(maxsize=256)
def _address(attachment: Attachment) -> str:
    """Return a small picture as a data address; empty if there is none."""
    try:
        small = read_source(attachment.data, attachment.name, Limits(image_side=SIDE))
    except OllamaMagicError:
        return ""
    if small.kind != "image" or small.media_type not in ("image/png", "image/jpeg"):
        return ""
    text = base64.b64encode(small.data).decode()
    return f"data:{small.media_type};base64,{text}" if len(text) <= _LONGEST else ""
