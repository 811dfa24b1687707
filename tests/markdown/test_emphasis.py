"""Emphasis beside Chinese, Japanese and Korean text; everything else as CommonMark says."""

from __future__ import annotations

import re

import pytest
from markdown_it import MarkdownIt

from ollama_magic.markdown.emphasis import CjkStateInline
from ollama_magic.markdown.parser import extend

from .growing import EXAMPLES, rendered


def with_our_rules() -> MarkdownIt:
    """Stock CommonMark with our emphasis and math."""
    md = MarkdownIt("commonmark")
    extend(md)

    def parse(text, md, env, tokens):
        state = CjkStateInline(text, md, env, tokens)
        md.inline.tokenize(state)
        for rule in md.inline.ruler2.getRules(""):
            rule(state)
        return state.tokens

    md.inline.parse = parse
    return md


def test_commonmark_stays_as_it_is() -> None:
    """All examples of the CommonMark specification come out as markdown-it has them, with our emphasis and math."""
    ours, stock = with_our_rules(), MarkdownIt("commonmark")
    assert len(EXAMPLES) == 652
    assert [e["markdown"] for e in EXAMPLES if ours.render(e["markdown"]) != stock.render(e["markdown"])] == []


def test_the_examples_are_read_rightly() -> None:
    """What markdown-it makes of the examples is what the specification prints (older versions differ in a few)."""
    md = MarkdownIt("commonmark")
    assert sum(tight(md.render(e["markdown"])) == tight(e["html"]) for e in EXAMPLES) >= 645


def tight(html: str) -> str:
    """Without the white space between tags."""
    return re.sub(r">\s+<", "><", html)


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("**注意：**这是", "<strong>注意：</strong>这是"),
        ("**“你好”**世界", "<strong>“你好”</strong>世界"),
        ("世界**“你好”**，再见", "世界<strong>“你好”</strong>，再见"),
        ("**重点。**下一句", "<strong>重点。</strong>下一句"),
        ("**函数（function）**是", "<strong>函数（function）</strong>是"),
        ("*これは（例）*です", "<em>これは（例）</em>です"),
        ("**한국어(korean)**는", "<strong>한국어(korean)</strong>는"),
        ("~~删除。~~了", "<s>删除。</s>了"),
        ("__注意：__这是", "<strong>注意：</strong>这是"),
        ("使用**`print()`**函数", "使用<strong><code>print()</code></strong>函数"),
        ("**[文档](https://a.cn/)**中", "<strong>"),
        ("方法__init__是", "方法__init__是"),
        (
            "if __name__ == x: self.__dict__, {__import__('os')} a__b__(c)",
            "if __name__ == x: self.__dict__, {__import__('os')} a__b__(c)",
        ),
        ("__bold__ __two words__", "<strong>bold</strong> <strong>two words</strong>"),
        ("文件_备份_最终", "文件_备份_最终"),
        ("2 * 3 * 4，中 * 文", "2 * 3 * 4，中 * 文"),
        ("a*b*c foo_bar_baz", "a<em>b</em>c foo_bar_baz"),
    ],
)
def test_emphasis_beside_cjk(text: str, html: str) -> None:
    """Beside a CJK character a run of asterisks flanks by white space alone; names with underscores stay whole."""
    assert html in rendered(text)
