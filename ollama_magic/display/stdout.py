"""Writes to sys.stdout, replacing characters that its encoding lacks."""

from __future__ import annotations

import sys


def write(text: str) -> None:
    """Write the text at once."""
    sys.stdout.write(showable(text))
    sys.stdout.flush()


def showable(text: str) -> str:
    """Return the text with a question mark for each character that sys.stdout cannot show."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.encode(encoding, "replace").decode(encoding)
    except LookupError:
        return text
    return text
