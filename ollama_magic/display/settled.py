"""The settled answer in the notebook file: HTML of host classes and native elements, and plain text."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from ollama_magic.conversation.reply import COMPLETE, CUT, FAILED, GENERATE, RUNNING, STOPPED
from ollama_magic.display.document import document_html
from ollama_magic.display.vscode import html_for_host, style_for_host
from ollama_magic.errors import AnswerCut
from ollama_magic.foreign import one_line, without_controls
from ollama_magic.turns.wording import counted

if TYPE_CHECKING:
    from ollama_magic.conversation.reply import Reply

# TeX is typeset only where the renderer marks it; both names are known to MathJax 2 and 3.
IGNORE_TEX = "mathjax_ignore tex2jax_ignore"
ON_ITS_WAY = "This answer is still running and will appear when it is complete; if it does not, run this cell again."


def bundle(
    reply: Reply, footer: str = "brief", *, thinking_open: bool = False, raised: bool = False, document: str = ""
) -> dict[str, str]:
    """Return the settled answer; `footer` is "brief", "full" or "none", errors are shown in any case.

    `raised`: the cell raises the same error below its output, so an answer without text omits it.
    `document` is the HTML of the text, if it has been rendered already.
    """
    html = settled_html(reply, footer, thinking_open=thinking_open, raised=raised, document=document)
    return {"text/html": style_for_host() + html, "text/plain": plain_text(reply)}


def settled_html(
    reply: Reply, footer: str, *, thinking_open: bool = False, raised: bool = False, document: str = ""
) -> str:
    """Return the line before, folded thinking, the answer, its notes and its footer as HTML."""
    from ollama_magic.display.steps import steps_html

    parts = [before_html(reply)]
    if reply.thinking:
        from ollama_magic.markdown.renderer import MarkdownRenderer

        thinking = html_for_host(MarkdownRenderer().render(reply.thinking).html)
        parts.append(thinking_html(thinking, unfolded=thinking_open))
    parts.append(steps_html(reply.steps))
    if reply.text:
        document = document or document_html(reply.text, reply.form, tables=reply.settings.has_schema)
        parts.append(answer_html(html_for_host(document)))
    parts.append(end_html(reply, footer, raised=raised))
    return f'<div class="ollama-magic {IGNORE_TEX}">{"".join(parts)}</div>'


def plain_text(reply: Reply) -> str:
    """Return the Markdown of the answer, with a mark if it is not complete (design.md §3)."""
    mark = state_mark(reply)
    text = without_controls(reply.text)
    return f"{text}\n\n{mark}" if text and mark else text or mark


def state_mark(reply: Reply) -> str:
    """Return `[stopped]`, `[cut]`, `[failed: …]`, or nothing for a complete answer."""
    if reply.state in (COMPLETE, RUNNING):
        return ""
    if reply.state == FAILED and reply.error:
        return f"[failed: {reason(reply)}]"
    return f"[{reply.state}]"


def reason(reply: Reply) -> str:
    """Return the error on one line, without the words of the mark before it."""
    error = reply.error
    return one_line(error.why if isinstance(error, AnswerCut) else str(error or ""))


def before_html(reply: Reply) -> str:
    """Return the quiet line above the answer, if any."""
    lines = "<br>".join(escape(one_line(line)) for line in reply.status.before)
    return f"<p><small>{lines}</small></p>" if lines else ""


def answer_html(html: str) -> str:
    """Return the answer in its own division, because host classes treat a first heading differently."""
    return f"<div>{spaced(html)}</div>"


def spaced(html: str) -> str:
    """Add an empty paragraph after code blocks, which hosts give no margin."""
    return html.replace("</pre></div>", "</pre></div><p></p>")


def thinking_html(html: str, *, unfolded: bool = False) -> str:
    """Return folded thinking, with an empty paragraph as a margin."""
    state = " open" if unfolded else ""
    summary = "<summary><small>Thinking</small></summary>"
    return f"<details{state}>{summary}<blockquote>{spaced(html)}</blockquote></details><p></p>"


def end_html(reply: Reply, footer: str, *, raised: bool = False) -> str:
    """Return the lines below the answer: an error, notes, and the footer."""
    shown = reply.text_parts or reply.thinking_parts or reply.steps
    if raised and reply.state in (STOPPED, CUT, FAILED) and not shown:
        return ""  # the error that the cell raises is enough
    lines = [escape(one_line(note)) for note in reply.notes]
    if reply.status.unsaved:
        lines.append("not saved yet")
    mark = "<strong>stopped</strong>" if reply.state == STOPPED else ""
    lines.append(" · ".join(filter(None, (mark, escape(footer_text(reply, footer))))))
    return _ending(reply, raised=raised) + "".join(f"<p><small>{line}</small></p>" for line in lines if line)


def footer_text(reply: Reply, footer: str) -> str:
    """Return `gemma3:1b · 4 turns sent`; with "full" also times and speeds, which change with every run."""
    if footer == "none" or not reply.model:
        return ""
    parts = [one_line(reply.model)]
    if reply.kind == GENERATE:
        parts.append("a single answer")
    if reply.status.turns_sent:
        parts.append(f"{counted(reply.status.turns_sent, 'turn')} sent")
    if footer == "full":
        parts += _figures(reply)
    return " · ".join(parts)


def _figures(reply: Reply) -> list[str]:
    stats, figures = reply.stats, list[str]()
    if reply.status.ended_at is not None:
        figures.append(f"{reply.status.ended_at - reply.status.started_at:.1f} s")
    if stats and stats.answer_tokens:
        figures.append(f"{stats.answer_tokens} tokens")
        if stats.answer_ns:
            figures.append(f"{stats.answer_tokens * 1e9 / stats.answer_ns:.0f} tokens/s")
    if stats and stats.load_ns and stats.load_ns > 1e9:
        figures.append(f"loaded in {stats.load_ns / 1e9:.1f} s")
    return figures


def _ending(reply: Reply, *, raised: bool) -> str:
    if reply.state not in (CUT, FAILED):
        return ""
    why = f": {escape(reason(reply))}" if reply.error and not raised else ""
    return f"<p><strong>{reply.state}</strong>{why}</p>"
