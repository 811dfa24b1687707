"""Emphasis beside Chinese, Japanese and Korean text; everything else as CommonMark says."""

from __future__ import annotations

import re

import pytest
from markdown_it import MarkdownIt

from ollama_magic.markdown.emphasis import InlineState
from ollama_magic.markdown.parser import extend
from ollama_magic.markdown.plain_tags import balance

from .growing import EXAMPLES, rendered

DIFFERENT = {
    379: "bold text with a space behind its first asterisks is bold",
    391: "bold text with a space before its last asterisks is bold",
    494: "a tag of the model is no HTML",
    602: "an address is a link, even where it begins no autolink",
    608: "an address is a link, even where it begins no autolink",
    611: "an address is a link, even where it begins no autolink",
}


def with_our_rules() -> MarkdownIt:
    """CommonMark with our rules; definitions leave a token of ours."""
    md = MarkdownIt("commonmark")
    extend(md)

    def parse(text, md, env, tokens):
        state = InlineState(text, md, env, tokens)
        md.inline.tokenize(state)
        for rule in md.inline.ruler2.getRules(""):
            rule(state)
        return balance(state.tokens)

    md.inline.parse = parse
    md.add_render_rule("definition", lambda *_: "")
    return md


def test_commonmark_stays_as_it_is() -> None:
    """All examples of the CommonMark specification come out as markdown-it has them, but for those listed above."""
    ours, stock = with_our_rules(), MarkdownIt("commonmark")
    assert len(EXAMPLES) == 652
    pairs = [(ours.render(e["markdown"]), stock.render(e["markdown"])) for e in EXAMPLES]
    changed = [n for n, (mine, theirs) in enumerate(pairs, 1) if tight(mine) != tight(theirs)]
    assert [(n, EXAMPLES[n - 1]["markdown"]) for n in changed if n not in DIFFERENT] == []
    assert set(changed) == set(DIFFERENT)


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
