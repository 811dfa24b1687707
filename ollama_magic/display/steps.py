"""The tool calls of an answer: a line for each, which unfolds to its arguments, its result and what it printed."""

from __future__ import annotations

import json
from html import escape
from typing import TYPE_CHECKING, Any

from ollama_magic.display.vscode import html_for_host
from ollama_magic.foreign import one_line, printable
from ollama_magic.turns.tool_steps import DONE, STEP_RUNNING, UNFINISHED, WAITING, ToolStep, call_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ollama_magic.display.widget_factory import WidgetFactory

_CALL, _RESULT = 120, 80  # characters of a line
_WHOLE = 10_000  # characters of arguments to show


def step_line(step: ToolStep, *, live: bool = False) -> str:
    """Return `weather(city="Lima") → 18 °C · 0.2 s`, or what is wrong with the call, or what it waits for."""
    call = call_text(step.call, _CALL)
    if step.ended:
        time = f" · {step.seconds:.1f} s" if step.seconds else ""
        return f"{call} → {one_line(step.content, _RESULT) or '(nothing)'}{time}"
    if not live:
        return f"{call} → {UNFINISHED}"
    return f"{call} · running" if step.state == STEP_RUNNING else f"{call} · waiting"


def step_html(step: ToolStep, *, live: bool = False) -> str:
    """Return a step as HTML: what the model said before it, and the folded call."""
    line = f"<summary><small>{escape(step_line(step, live=live))}</small></summary>"
    return f"{_said(step)}<details>{line}<blockquote>{_parts(step)}</blockquote></details>"


def steps_html(steps: Sequence[ToolStep], *, live: bool = False) -> str:
    """Return all steps as HTML, with an empty paragraph as a margin."""
    return "".join(step_html(step, live=live) for step in steps) + "<p></p>" if steps else ""


class StepList:
    """The live steps: a widget for each, which is sent again only when the step changes."""

    def __init__(self, factory: WidgetFactory) -> None:
        self._factory = factory
        self._shown: list[ToolStep] = []
        self._widgets: list[Any] = []
        self.box: Any = factory.box([], "ollama-magic-steps")

    def show(self, steps: Sequence[ToolStep], *, live: bool = True) -> None:
        """Show the steps as they are now."""
        for place, step in enumerate(steps):
            # The hidden sibling is for JupyterLab, which gives last children other margins.
            html = f"<div class=jp-RenderedHTMLCommon>{step_html(step, live=live)}<i hidden></i></div>"
            if place == len(self._shown):
                self._shown.append(step)
                self._widgets.append(self._factory.html(html))
            elif self._shown[place] != step or not live:
                self._shown[place] = step
                self._factory.set(self._widgets[place], "value", html)
        self._factory.set(self.box, "children", tuple(self._widgets))


def _said(step: ToolStep) -> str:
    if not step.text.strip():
        return ""
    from ollama_magic.markdown.renderer import MarkdownRenderer

    return f"<div>{html_for_host(MarkdownRenderer().render(step.text).html)}</div>"


def _parts(step: ToolStep) -> str:
    parts = []
    if step.call.arguments:
        parts.append(_pre("Arguments", _json(step.call.arguments)))
    if step.state == DONE:
        parts.append(_pre("Result", step.result, step.note))
    elif step.state not in (WAITING, STEP_RUNNING):
        parts.append(_pre("Result", step.content))
    if step.output.strip():
        parts.append(_pre("Printed", step.output))
    return "".join(parts)


def _json(arguments: Mapping[str, object]) -> str:
    """Return arguments as JSON: on one line if they are short."""
    text = json.dumps(dict(arguments), ensure_ascii=False)
    return text if len(text) <= _CALL else json.dumps(dict(arguments), ensure_ascii=False, indent=1)[:_WHOLE]


def _pre(title: str, text: str, note: str = "") -> str:
    about = f" ({escape(one_line(note))})" if note else ""
    return f"<small>{title}{about}</small><pre>{escape(printable(text))}</pre><p></p>"
