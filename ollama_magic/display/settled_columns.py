"""Answers side by side in the notebook file: sections that a style sheet makes columns, and text with headings."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from ollama_magic.conversation.reply import Reply
from ollama_magic.display.settled import IGNORE_TEX, plain_text, settled_html
from ollama_magic.display.styles import style_element
from ollama_magic.display.vscode import style_for_host
from ollama_magic.foreign import one_line
from ollama_magic.turns.column_text import column_label, column_titles, joined_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ollama_magic.turns.turn_value import Turn


def columns_bundle(
    replies: Sequence[Reply], footer: str = "brief", before: Sequence[str] = (), unfolded: Sequence[bool] = ()
) -> dict[str, str]:
    """Return the settled answers; `unfolded` says in which columns the thinking is open."""
    is_open = dict(enumerate(unfolded))
    columns = [
        settled_html(reply, footer, thinking_open=is_open.get(place, False)) for place, reply in enumerate(replies)
    ]
    texts = [(title, plain_text(reply)) for title, reply in zip(titles(replies), replies, strict=True)]
    return {"text/html": columns_html(replies, columns, before), "text/plain": joined_columns(texts)}


def columns_html(replies: Sequence[Reply], columns: Sequence[str], before: Sequence[str] = ()) -> str:
    """Return the HTML of answers side by side, each below its heading, and the line above all of them."""
    parts = [
        f'<div class="ollama-magic-column">{heading_html(title, reply)}{html}{choice_html(title, reply)}</div>'
        for title, reply, html in zip(titles(replies), replies, columns, strict=True)
    ]
    style = style_element("display/columns.css") + style_for_host()
    around = f'<div class="ollama-magic ollama-magic-beside {IGNORE_TEX}">'
    return f'{style}{around}{lines_html(before)}<div class="ollama-magic-columns">{"".join(parts)}</div></div>'


def columns_labels(replies: Sequence[Reply]) -> dict[str, object]:
    """Return what the metadata of the output says of the columns, and which of them is remembered."""
    labels = [
        column_label(title, plain_text(reply), reply.model, reply.state)
        for title, reply in zip(titles(replies), replies, strict=True)
    ]
    place = next((place for place, reply in enumerate(replies, 1) if reply.status.remembered), 0)
    return {"columns": labels, **({"column": place} if place else {})}


def turn_bundle(turn: Turn, footer: str = "brief") -> tuple[dict[str, str], dict[str, object]]:
    """Return a stored turn and its alternatives side by side, and what the metadata of the output says of them."""
    replies = [Reply.of(column) for column in turn.columns]
    for column, reply in zip(turn.columns, replies, strict=True):
        reply.status.remembered = column is turn
    return columns_bundle(replies, footer), columns_labels(replies)


def titles(replies: Sequence[Reply]) -> list[str]:
    """Return what stands above each column: its model, and its server where they differ."""
    hosts = [reply.host.url if reply.host is not None else reply.settings.host for reply in replies]
    return column_titles([reply.model for reply in replies], hosts)


def heading_html(title: str, reply: Reply) -> str:
    """Return the heading of a column; no element of a heading, which would be listed in the table of contents."""
    mark = " <small>· remembered</small>" if reply.status.remembered else ""
    return f"<p><strong>{escape(title)}</strong>{mark}</p>"


def choice_html(title: str, reply: Reply) -> str:
    """Return how another answer than the remembered one is chosen; empty for an answer that cannot be."""
    if reply.status.remembered is not False or not reply.text_parts:
        return ""
    name = escape(title.partition(" ")[0])
    return f'<p class="ollama-magic-keep"><small><code>%ollama keep {name}</code> remembers this one</small></p>'


def lines_html(lines: Sequence[str]) -> str:
    """Return the quiet line above all columns, if any."""
    shown = "<br>".join(escape(one_line(line)) for line in lines)
    return f"<p><small>{shown}</small></p>" if shown else ""
