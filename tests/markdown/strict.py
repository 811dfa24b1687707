"""What may be in our HTML: a parser that knows the few allowed tags and attributes, and reads the text back."""

from __future__ import annotations

import re
from html.parser import HTMLParser

FIXED_CLASSES = {"highlight", "ollama-table", "ollama-math", "ollama-plain", "ollama-host"}
TO_TYPESET = "mathjax_process tex2jax_process"
TAGS = {"p", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "ul", "ol", "li", "hr", "div", "table", "thead", "tbody"}
TAGS |= {"tr", "th", "td", "pre", "em", "strong", "s", "br", "code", "samp", "small", "a", "span"}
TAGS |= {"sub", "sup", "u", "kbd", "mark", "details", "summary"}
BLOCKS = {"p", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "ul", "ol", "table", "details"}
LINK = re.compile(r"https?://[^\s\"<>\\]+|mailto:[^\s\"<>\\]+|#[^\s\"<>\\]+", re.IGNORECASE)


class Strict(HTMLParser):
    """Collects text, links, and everything that should not be there."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.wrong: list[str] = []
        self.links: list[str] = []
        self.open: list[str] = []
        self.begun = ""  # the element that begins here
        self.parts: list[str] = []
        self.feed(html)
        self.close()
        self.text = "".join(self.parts)
        self.wrong += [f"open: {tag}" for tag in self.open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.begun = tag
        if tag not in TAGS:
            self.wrong.append(tag)
        for name, value in attrs:
            if not self._fine(tag, name, value or ""):
                self.wrong.append(f"{tag} {name}={value}")
        if tag not in ("br", "hr"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"/{tag}")

    def handle_data(self, data: str) -> None:
        self.parts.append(data[1:] if self.begun == "pre" and data[:1] == "\n" else data)  # as browsers read it
        self.begun = ""

    def handle_comment(self, data: str) -> None:
        self.wrong.append(f"comment {data}")

    handle_decl = unknown_decl = handle_pi = handle_comment

    def _fine(self, tag: str, name: str, value: str) -> bool:
        if (tag, name) == ("a", "href"):
            self.links.append(value)
            return bool(LINK.fullmatch(value))
        if (name, value) == ("dir", "auto"):
            return tag in BLOCKS
        if tag == "a":
            return (name, value) in (("target", "_blank"), ("rel", "noopener noreferrer"))
        if name == "class":
            token = tag == "span" and re.fullmatch("[a-z][a-z0-9]{0,3}", value)
            return bool(token) or value in FIXED_CLASSES or (tag in ("samp", "pre") and value == TO_TYPESET)
        if tag == "div":
            return name == "align" and value in ("left", "center", "right")
        return (tag, name) == ("ol", "start") and value.isdigit()
