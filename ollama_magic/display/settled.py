"""What stays in the file: one bundle of HTML and plain text, made of host classes and native elements alone."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

from ollama_magic.conversation.reply import COMPLETE, CUT, FAILED, GENERATE, RUNNING, STOPPED
from ollama_magic.display.answer import rendered
from ollama_magic.foreign import one_line, without_controls

if TYPE_CHECKING:
    from ollama_magic.conversation.reply import Reply

# TeX is typeset only where the renderer marks it; both names are known to MathJax 2 and 3.
IGNORE_TEX = "mathjax_ignore tex2jax_ignore"
ON_ITS_WAY = (
    "An answer is on its way and will stand here when it is complete; if it does not come, run this cell again."
)
_TOLD_TWICE = re.compile(r"^The answer was cut: ")


def bundle(reply: Reply, footer: str = "brief", *, thinking_open: bool = False, raised: bool = False) -> dict[str, str]:
    """Return the settled answer; `footer` is "brief", "full" or "none", and what went wrong is said in all three.

    `raised`: the cell raises the same error under its output, so that an answer without text need not give the reason.
    """
    html = settled_html(reply, footer, thinking_open=thinking_open, raised=raised)
    return {"text/html": html, "text/plain": plain_text(reply)}


def settled_html(reply: Reply, footer: str, *, thinking_open: bool = False, raised: bool = False) -> str:
    """One full render: the line before, folded thinking, the answer, its notes and its footer."""
    parts = [before_html(reply)]
    if reply.thinking:
        from ollama_magic.markdown.renderer import MarkdownRenderer

        parts.append(thinking_html(MarkdownRenderer().render(reply.thinking).html, unfolded=thinking_open))
    if reply.text:
        parts.append(answer_html(rendered(reply.text, reply.form)))
    parts.append(end_html(reply, footer, raised=raised))
    return f'<div class="ollama-magic {IGNORE_TEX}">{"".join(parts)}</div>'


def plain_text(reply: Reply) -> str:
    """The Markdown of the answer, with a mark behind it if it is not complete (design §3)."""
    mark = state_mark(reply)
    text = without_controls(reply.text)
    return f"{text}\n\n{mark}" if text and mark else text or mark


def state_mark(reply: Reply) -> str:
    """`[stopped]`, `[cut]`, `[failed: …]`, or nothing for a complete answer."""
    if reply.state in (COMPLETE, RUNNING):
        return ""
    if reply.state == FAILED and reply.error:
        return f"[failed: {reason(reply)}]"
    return f"[{reply.state}]"


def reason(reply: Reply) -> str:
    """What went wrong, on one line."""
    return _TOLD_TWICE.sub("", one_line(str(reply.error or "")))


def before_html(reply: Reply) -> str:
    """The quiet line above the answer; empty if nothing matters."""
    lines = "<br>".join(escape(one_line(line)) for line in reply.before)
    return f"<p><small>{lines}</small></p>" if lines else ""


def answer_html(html: str) -> str:
    """The answer in a division of its own, as host classes treat a first heading apart."""
    return f"<div>{spaced(html)}</div>"


def spaced(html: str) -> str:
    """Keep what follows a code block at a distance; hosts give it no margin, and an empty paragraph needs no style."""
    return html.replace("</pre></div>", "</pre></div><p></p>")


def thinking_html(html: str, *, unfolded: bool = False) -> str:
    """Thinking, folded away; the empty paragraph keeps the answer at a distance."""
    state = " open" if unfolded else ""
    summary = "<summary><small>Thinking</small></summary>"
    return f"<details{state}>{summary}<blockquote>{spaced(html)}</blockquote></details><p></p>"


def end_html(reply: Reply, footer: str, *, raised: bool = False) -> str:
    """What stands under the answer: how it ended, if not well, notes, and the footer."""
    if raised and reply.state in (STOPPED, CUT, FAILED) and not (reply.text_parts or reply.thinking_parts):
        return ""  # the one line that the cell raises says it all
    lines = [escape(one_line(note)) for note in reply.notes]
    if reply.unsaved:
        lines.append("not saved yet")
    mark = "<strong>stopped</strong>" if reply.state == STOPPED else ""
    lines.append(" · ".join(filter(None, (mark, escape(footer_text(reply, footer))))))
    return _ending(reply, raised=raised) + "".join(f"<p><small>{line}</small></p>" for line in lines if line)


def footer_text(reply: Reply, footer: str) -> str:
    """`gemma3:1b · 4 turns sent`; with "full" also times and speeds, which change with every run."""
    if footer == "none" or not reply.model:
        return ""
    parts = [one_line(reply.model)]
    if reply.kind == GENERATE:
        parts.append("a single answer")
    if reply.turns_sent:
        parts.append("1 turn sent" if reply.turns_sent == 1 else f"{reply.turns_sent} turns sent")
    if footer == "full":
        parts += _figures(reply)
    return " · ".join(parts)


def _figures(reply: Reply) -> list[str]:
    stats, figures = reply.stats, list[str]()
    if reply.ended_at is not None:
        figures.append(f"{reply.ended_at - reply.started_at:.1f} s")
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
