"""The document of a reply's text: Markdown, or code for JSON and for the text before a suffix."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollama_magic.conversation.reply import AS_JSON, AS_MARKDOWN

if TYPE_CHECKING:
    from ollama_magic.conversation.reply import Reply
    from ollama_magic.markdown.growing_code import Growing


def growing_document(reply: Reply) -> Growing:
    """Return an empty document for the text of this reply."""
    if reply.form == AS_MARKDOWN:
        from ollama_magic.markdown.incremental import IncrementalMarkdown

        return IncrementalMarkdown()
    from ollama_magic.display.json_text import GrowingJson
    from ollama_magic.markdown.growing_code import GrowingCode

    if reply.form != AS_JSON:
        return GrowingCode("")
    laid = GrowingJson()
    return GrowingCode("json", laid.feed, laid.finish)


def document_html(text: str, form: str, *, tables: bool = False) -> str:
    """Return the whole text as HTML, in one render; JSON of a schema in `tables`, where it has their shape."""
    if form == AS_MARKDOWN:
        from ollama_magic.markdown.renderer import MarkdownRenderer

        return MarkdownRenderer().render(text).html
    from ollama_magic.display.json_tables import json_table
    from ollama_magic.display.json_text import laid_out
    from ollama_magic.markdown.growing_code import whole_code

    if tables and form == AS_JSON and (table := json_table(text)):
        return table
    return whole_code(text, "json", laid_out) if form == AS_JSON else whole_code(text, "")
