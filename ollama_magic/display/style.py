"""The style sheet of live answers. Settled answers have none: in an untrusted notebook it would be stripped."""

from __future__ import annotations


def _short(css: str) -> str:
    """Without the spaces that only its readers need: it is sent with each answer."""
    css = " ".join(css.split()).replace(": ", ":")
    for mark in "{};,":
        css = css.replace(f" {mark}", mark).replace(f"{mark} ", mark)
    return css


# Boxes become plain blocks, so that margins of neighbours collapse as in one document: no jump when the answer settles.
# JupyterLab lets an output scroll, and a page paints the whole of what can: a long answer would be painted anew with
# every word, though little of it is seen (7 ms of 8 in a frame, at 32,000 tokens). Here only what is too wide scrolls.
LIVE_STYLE = _short("""<style>
.ollama-magic-live, .ollama-magic-live .jupyter-widgets, .ollama-magic-live .widget-html-content,
.ollama-magic-live .jupyter-widget-html-content {
  display: block; margin: 0; padding: 0; width: auto; height: auto; min-width: 0; max-width: 100%;
  overflow: visible; line-height: inherit; font-size: inherit;
}
.jp-OutputArea-output:has(> .ollama-magic-live) { overflow: visible; min-width: 0; }
.jp-OutputArea-output > .ollama-magic-live { display: flow-root; overflow-wrap: break-word; }
.ollama-magic-live.jupyter-widgets { padding-right: 20px; font-size: var(--jp-content-font-size1, 14px); }
.ollama-magic-live .jp-RenderedHTMLCommon { padding: 0; margin: 0; }
.ollama-magic-live .jp-RenderedHTMLCommon > pre { margin: 0; }
.ollama-magic-live .jp-RenderedHTMLCommon table { margin: 0; }
.ollama-magic-live .ollama-table { overflow-x: auto; margin-bottom: var(--jp-ui-font-size1, 13px); }
.ollama-magic-live mjx-container[display] { overflow: auto hidden; }
.ollama-magic-live .ollama-magic-status {
  display: flex; flex-direction: row; align-items: center; gap: 10px; min-height: 22px;
}
.ollama-magic-live .ollama-magic-status, .ollama-magic-live .ollama-magic-status .jp-RenderedHTMLCommon {
  color: var(--jp-ui-font-color2, #616161);
}
.ollama-magic-live .ollama-magic-stop.jupyter-button {
  display: inline-block; width: auto; height: 22px; line-height: 20px; padding: 0 10px;
  font-size: 12px; border: 1px solid var(--jp-border-color1, #bdbdbd); border-radius: 3px;
  background: transparent; color: var(--jp-ui-font-color1, inherit);
}
.ollama-magic-live .ollama-magic-stop.jupyter-button:hover {
  background: var(--jp-layout-color2, rgba(128, 128, 128, .2));
}
.ollama-magic-live .ollama-magic-fold.jupyter-button {
  display: block; text-align: left; background: none; box-shadow: none; overflow: visible;
  font-size: .8333em; line-height: 22.4px; color: var(--jp-content-font-color1, inherit);
}
.ollama-magic-live .ollama-magic-fold::before {
  content: ""; display: inline-block; margin: 0 .55em 0 .05em;
  border: .36em solid transparent; border-left: .6em solid currentColor; border-right: 0;
}
.ollama-magic-live .ollama-magic-fold.mod-active::before { transform: rotate(90deg); }
.ollama-magic-live .ollama-magic-fold.jupyter-button:focus:not(:focus-visible) { outline: none; }
.ollama-magic-live .ollama-magic-fold + .ollama-magic-folded {
  display: none; margin: 1em 2em; padding: 0 1em; border-left: 5px solid var(--jp-border-color2, #e0e0e0);
}
.ollama-magic-live .ollama-magic-fold.mod-active + .ollama-magic-folded { display: block; }
.ollama-magic-live .ollama-magic-thinking { margin-bottom: 1em; }
.ollama-magic-live .ollama-magic-part-first pre, .ollama-magic-live .ollama-magic-part-middle pre {
  margin-bottom: 0; padding-bottom: 0;
}
.ollama-magic-live .ollama-magic-part-middle pre, .ollama-magic-live .ollama-magic-part-last pre {
  margin-top: 0; padding-top: 0;
}
.ollama-magic-live .ollama-magic-part-first > :is(ul, ol):last-child { margin-bottom: 0; }
.ollama-magic-live .ollama-magic-part-last > :is(ul, ol):first-child { margin-top: 0; }
</style>""")
