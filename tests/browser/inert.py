"""What of an answer may be in a page: a look at every element and attribute, and a finger that touches them all."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ollama_magic.display.live_region import _UNSEEN
from ollama_magic.display.styles import style_element
from tests.markdown.strict import FIXED_CLASSES, LINK, TAGS, TO_TYPESET

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

STYLES = {re.sub("</?style>", "", style_element(f"display/{name}.css")) for name in ("live", "thinking")}
IGNORE = "mathjax_ignore tex2jax_ignore"
OUR_CLASSES = FIXED_CLASSES | {
    f"ollama-magic {IGNORE}",
    *(f"ollama-magic-part-{n}" for n in ("first", "middle", "last")),
}
OUR_CLASSES |= {"jp-RenderedHTMLCommon", IGNORE, "numbering-entry"}  # of a history; the last one numbers headings
TYPESET = {"samp": TO_TYPESET, "pre": TO_TYPESET}
# Words of a class that JupyterLab, its widgets and our own boxes bring.
HOST_CLASS = re.compile(r"(?:lm|jp|jupyter|widget|ollama-magic|ansi)-[\w-]+|mod-\w+|mathjax_ignore|tex2jax_ignore")
HOST_TITLES = {"null", "", "Stop this answer; the text so far is kept"}
HOST = {"role": {"log"}, "aria-live": {"polite"}, "aria-atomic": {"true"}, "title": HOST_TITLES, "tabbable": {"null"}}
HOST["style"] = {"display: none;", _UNSEEN}
# What JupyterLab's part draws on code blocks; its words come from the style sheet.
BUTTON = {"type": "button", "data-lm-suppress-shortcuts": "true"}
COPY = {"class": "ollama-magic-copy", "aria-label": "Copy code", "data-says": "Copy"}
INSERT = {"class": "ollama-magic-insert", "aria-label": "Insert code as a new cell below", "data-says": "Insert below"}
BUTTONS = (
    ("div", {"class": "ollama-magic-buttons"}),
    ("button", {**BUTTON, **COPY}),
    ("button", {**BUTTON, **INSERT}),
)
# Bidi controls, zero width, tags: what must stand there as a visible mark, never as itself.
HIDDEN = re.compile("[\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]")

# Every cell's output: [tag, attributes, place, own text]; text without formulas; what a person reads.
LOOK = """() => [...document.querySelectorAll('.jp-Cell')].map(cell => {
    const elements = []; let text = '';
    const outputs = [...cell.querySelectorAll('.jp-OutputArea-output')];
    for (const output of outputs) for (const e of output.querySelectorAll('*')) {
        const set = e.closest('mjx-container')?.parentElement.closest('samp.mathjax_process, pre.mathjax_process');
        const inside = e.parentElement.closest('.jp-RenderedHTMLCommon');
        const own = [...e.childNodes].filter(n => n.nodeType === 3).map(n => n.data).join('');
        const attributes = Object.fromEntries([...e.attributes].map(a => [a.name, a.value]));
        const place = set ? 'typeset' : inside ? 'answer' : 'host';
        elements.push([e.localName, attributes, place, own, e.namespaceURI]);
    }
    for (const output of outputs) {
        const walker = document.createTreeWalker(output, NodeFilter.SHOW_TEXT);
        while (walker.nextNode()) {
            const e = walker.currentNode.parentElement;
            if (e.closest('.jp-RenderedHTMLCommon') && !e.closest('.mathjax_process')) text += walker.currentNode.data;
        }
    }
    return {elements, text, read: outputs.map(o => o.innerText).join('\\n')};
})"""
# Everything of the answers is touched. Following a link that may be followed is not the answer's doing.
TOUCH = """async () => {
    const hold = event => { const link = event.target.closest?.('a[href]');
        if (link && /^(https?|mailto):$/.test(link.protocol)) event.preventDefault(); };
    window.addEventListener('click', hold, true);
    for (const output of document.querySelectorAll('.jp-OutputArea-output'))
        for (const e of output.querySelectorAll('*')) if (e.parentElement.closest('.jp-RenderedHTMLCommon')) {
            for (const kind of ['mouseover', 'mouseenter', 'mousedown', 'focus', 'toggle'])
                e.dispatchEvent(new MouseEvent(kind));
            e.dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true, view: window}));
        }
    await new Promise(done => setTimeout(done, 300));
    window.removeEventListener('click', hold, true);
}"""
HTML = "http://www.w3.org/1999/xhtml"


@dataclass(frozen=True)
class Look:
    """One cell's output, as it is in the page."""

    elements: list[tuple[str, dict[str, str], str, str, str]]
    text: str
    read: str

    @property
    def wrong(self) -> list[str]:
        """Everything that no answer of ours may contain."""
        found = []
        for tag, attributes, place, own, namespace in self.elements:
            if place == "typeset":
                found += [f"{tag} {name}={value}" for name, value in attributes.items() if not _typeset(name, value)]
            elif place == "host":
                found += _wrong_host(tag, attributes, own)
            elif not own and (tag, attributes) in BUTTONS:
                continue
            elif tag not in TAGS | {"i", "details", "summary"} or namespace != HTML:
                found.append(tag)
            else:
                found += [f"{tag} {name}={value}" for name, value in attributes.items() if not _fine(tag, name, value)]
        return found


@dataclass
class Sight:
    """What there was to be seen in one page, after all of it had been touched."""

    looks: list[Look]
    scripts: bool
    requests: list[str] = field(default_factory=list)
    pages: int = 1
    dialogs: int = 0


class Watched:
    """A browser context in which no request leaves the machine, and every strange one is noted."""

    def __init__(self, context: BrowserContext, home: str) -> None:
        self.context, self.home, self.requests = context, home, list[str]()
        context.on("request", lambda request: self._note(request.url))
        context.route(re.compile(r"^https?://(?!127\.0\.0\.1[:/])"), lambda route: route.abort())

    def _note(self, url: str) -> None:
        if not url.startswith((self.home, "data:", "blob:", "about:")):
            self.requests.append(url)

    def look(self, page: Page, *, touch: bool = True) -> Sight:
        """Touch everything, then look."""
        if touch:
            page.evaluate(TOUCH)
        looks = [Look(**look) for look in page.evaluate(LOOK)]
        scripts = page.evaluate("window.__pwned !== undefined")
        dialogs = page.locator(".jp-Dialog").count()
        return Sight(looks, scripts, self.requests.copy(), len(self.context.pages), dialogs)


def squeezed(text: str) -> str:
    """The text without its white space."""
    return "".join(text.split())


def _fine(tag: str, name: str, value: str) -> bool:
    if tag == "a":
        links = {"href": bool(LINK.fullmatch(value)), "target": value == "_blank"}
        return links.get(name, name == "rel" and value in ("noopener", "noopener noreferrer"))
    if name == "class":
        token = tag == "span" and re.fullmatch("[a-z][a-z0-9]{0,3}", value)
        return bool(token) or value in OUR_CLASSES or TYPESET.get(tag) == value
    return (tag, name, value) in _FIXED or ((tag, name) == ("ol", "start") and value.isdigit())


_FIXED: set[tuple[str, str, Any]] = {("i", "hidden", ""), ("details", "open", "")}
_FIXED |= {("div", "align", side) for side in ("left", "center", "right")}


def _wrong_host(tag: str, attributes: dict[str, str], own: str) -> list[str]:
    """What is not of the answer's making is of the few kinds that we know."""
    if tag == "style":
        return [] if own in STYLES and not attributes else [f"style {own[:60]}"]
    if tag == "a":  # what JupyterLab makes of an address in an error's text
        return [f"a {name}={value}" for name, value in attributes.items() if not _fine(tag, name, value)]
    if tag not in ("div", "button", "label", "pre", "span"):
        return [tag]
    return [f"{tag} {name}={value}" for name, value in attributes.items() if not _host_fine(name, value)]


def _host_fine(name: str, value: str) -> bool:
    if name == "class":
        return all(HOST_CLASS.fullmatch(word) for word in value.split())
    return value in HOST.get(name, ())


def _typeset(name: str, value: str) -> bool:
    """MathJax writes many attributes; none runs, loads or leads anywhere."""
    return not name.startswith("on") and name not in ("href", "src", "xlink:href") and "url(" not in value
