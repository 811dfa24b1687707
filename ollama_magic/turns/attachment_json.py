"""Attachments as JSON: references for the store and for notebooks, whole for saved files. Reading trusts nothing."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, get_args

from ollama_magic.foreign import one_line
from ollama_magic.ollama.stats import count
from ollama_magic.turns.attachment import Attachment, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

KINDS: tuple[Kind, ...] = get_args(Kind)
_NAME, _NOTE, _TYPE = 300, 300, 100  # most characters to read
_LIMIT = 1000  # most attachments of one turn to read


def reference(attachment: Attachment) -> dict[str, Any]:
    """Return an attachment without its content, which `sha256` finds in the store."""
    written = {**label(attachment), "media_type": attachment.media_type, "sha256": attachment.sha256}
    return written | ({"note": attachment.note} if attachment.note else {})


def label(attachment: Attachment) -> dict[str, Any]:
    """Return what the output of a turn says of an attachment: name, kind and size."""
    return {"name": attachment.name, "kind": attachment.kind, "size": attachment.size}


def whole(attachment: Attachment) -> dict[str, Any]:
    """Return an attachment with its content: text as it is, anything else in base64."""
    if not attachment.travelled:
        return reference(attachment)
    if attachment.in_text:
        return {**reference(attachment), "text": attachment.text}
    return {**reference(attachment), "data": base64.b64encode(attachment.data).decode()}


def attachments_from(value: object, contents: Mapping[str, bytes] | None = None) -> tuple[Attachment, ...]:
    """Read the attachments of a turn; content that is neither there nor in `contents` did not travel.

    Args:
        value: The list of the JSON.
        contents: Bytes by their hash, which must be right.
    """
    rows = value[:_LIMIT] if isinstance(value, list) else []
    read = (_attachment(row, contents or {}) for row in rows if isinstance(row, Mapping))
    return tuple(one for one in read if one is not None)


def contents_of(attachments: Iterable[Attachment]) -> dict[str, bytes]:
    """Return the contents that are known, by their hash."""
    return {one.sha256: one.data for one in attachments if one.data}


def _attachment(row: Mapping[str, Any], contents: Mapping[str, bytes]) -> Attachment | None:
    kind = next((known for known in KINDS if known == row.get("kind")), None)
    name = row.get("name")
    if kind is None or not isinstance(name, str):
        return None
    texts = {key: _line(row.get(key), most) for key, most in (("media_type", _TYPE), ("note", _NOTE), ("sha256", 64))}
    shown, media_type, note, sha256 = _line(name, _NAME), texts["media_type"], texts["note"], texts["sha256"]
    if sha256 in contents:  # whose hashes are right: hashing a hundred turns anew would take seconds
        data = contents[sha256]
        return Attachment(shown, kind, media_type, data, note, len(data), sha256)
    found = _data(row)
    if found is not None:
        return Attachment.of(shown, kind, media_type, found, note)
    size = count(row.get("size")) or 1  # what did not travel is not empty
    return Attachment(shown, kind, media_type, b"", note, size, sha256)


def _data(row: Mapping[str, Any]) -> bytes | None:
    text, data = row.get("text"), row.get("data")
    if isinstance(text, str):
        return text.encode("utf-8", "replace")
    try:
        return base64.b64decode(data, validate=True) if isinstance(data, str) else None
    except ValueError:
        return None


def _line(value: object, most: int) -> str:
    return one_line(value, most) if isinstance(value, str) else ""
