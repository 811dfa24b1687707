"""The style sheet of a panel: colours and sizes of the host, light or dark, narrow or wide."""

from __future__ import annotations

_STYLE = """
.ollama-magic-panel .jupyter-widgets, .ollama-magic-panel .widget-html-content,
.ollama-magic-panel .jupyter-widget-html-content {
  display: block; margin: 0; padding: 0; width: auto; height: auto; min-width: 0; max-width: 100%;
  overflow: visible; line-height: inherit; font-size: inherit;
}
.ollama-magic-panel .jp-RenderedHTMLCommon { padding: 0; margin: 0; }
.ollama-magic-panel .ollama-magic-live.jupyter-widgets { padding: 0; }
.ollama-magic-panel.jupyter-widgets {
  display: flex; flex-direction: column; container-type: inline-size; box-sizing: border-box; width: 100%;
  max-width: 960px; margin: 4px 0 8px; padding: 0; border: 1px solid var(--jp-border-color2, #e0e0e0);
  border-radius: 8px; overflow: hidden; background: var(--jp-layout-color1, white);
  color: var(--jp-content-font-color1, inherit); font-family: var(--jp-content-font-family, sans-serif);
  font-size: var(--jp-content-font-size1, 14px);
}
.ollama-magic-panel .ollama-magic-bar {
  display: flex; flex-flow: row wrap; align-items: center; gap: 6px; padding: 6px 10px;
  border-bottom: 1px solid var(--jp-border-color2, #e0e0e0); background: var(--jp-layout-color2, #f5f5f5);
}
.ollama-magic-panel .ollama-magic-menu { display: block; flex: 0 1 auto; min-width: 72px; max-width: 240px; }
.ollama-magic-panel .ollama-magic-menu select {
  width: 100%; height: 26px; padding: 0 22px 0 8px; border-radius: 5px; font-size: 12px; text-overflow: ellipsis;
  border: 1px solid transparent; background-color: transparent; color: var(--jp-ui-font-color1, inherit);
}
.ollama-magic-panel .ollama-magic-menu select:hover { background-color: var(--jp-layout-color3, #e0e0e0); }
.ollama-magic-panel .ollama-magic-menu option {
  background: var(--jp-layout-color1, white); color: var(--jp-ui-font-color1, black);
}
.ollama-magic-panel .ollama-magic-bar > .widget-html { flex: 1 1 60px; text-align: right; }
.ollama-magic-panel .ollama-magic-bar small { color: var(--jp-ui-font-color2, #616161); font-size: 11px; }
.ollama-magic-panel .ollama-magic-meter { display: inline-flex; align-items: center; gap: 6px; }
.ollama-magic-panel .ollama-magic-meter b {
  display: inline-block; width: 56px; height: 5px; border-radius: 3px; overflow: hidden;
  background: var(--jp-layout-color3, #e0e0e0);
}
.ollama-magic-panel .ollama-magic-meter i {
  display: block; height: 100%; background: var(--jp-success-color1, #388e3c);
}
.ollama-magic-panel .ollama-magic-meter i.ollama-magic-high { background: var(--jp-warn-color1, #f57c00); }
.ollama-magic-panel .ollama-magic-meter i.ollama-magic-full { background: var(--jp-error-color1, #d32f2f); }
.ollama-magic-panel button.jupyter-button {
  display: inline-block; width: auto; height: 26px; line-height: 24px; margin: 0; padding: 0 9px; font-size: 12px;
  border: 1px solid transparent; border-radius: 5px; box-shadow: none; background: transparent;
  color: var(--jp-ui-font-color1, inherit); flex: 0 0 auto; font-family: var(--jp-ui-font-family, sans-serif);
}
.ollama-magic-panel button.jupyter-button:hover { background: var(--jp-layout-color3, rgba(128, 128, 128, .25)); }
.ollama-magic-panel :is(button, select, textarea, .ollama-magic-turns):focus-visible {
  outline: 2px solid var(--jp-brand-color1, #1976d2) !important; outline-offset: 1px;
}
.ollama-magic-panel .ollama-magic-turns:focus-visible { outline-offset: -2px; }
.ollama-magic-panel .ollama-magic-draft textarea:focus-visible {
  outline: none !important; border-color: var(--jp-brand-color1, #1976d2);
  box-shadow: 0 0 0 1px var(--jp-brand-color1, #1976d2);
}
.ollama-magic-panel .ollama-magic-turns {
  height: auto; min-height: 88px; max-height: min(62vh, 720px); overflow-x: hidden; overflow-y: auto;
  overflow-anchor: none; overscroll-behavior: contain; scrollbar-width: thin;
}
.ollama-magic-panel .ollama-magic-inner { padding: 12px 16px 6px; }
.ollama-magic-panel .ollama-magic-turn { margin: 0 0 14px; }
.ollama-magic-panel .ollama-magic-bubble { display: flex; justify-content: flex-end; margin: 0 0 8px; }
.ollama-magic-panel .ollama-magic-said {
  max-width: 82%; padding: 7px 12px; border-radius: 12px 12px 3px 12px; white-space: pre-wrap;
  overflow-wrap: anywhere; line-height: 1.45; max-height: 40vh; overflow-y: auto;
  background: var(--jp-layout-color2, #eee); border: 1px solid var(--jp-border-color3, #e8e8e8);
}
.ollama-magic-panel .jp-RenderedHTMLCommon { overflow-wrap: anywhere; max-width: 100%; }
.ollama-magic-panel .jp-RenderedHTMLCommon :is(pre, table) { max-width: 100%; overflow-x: auto; }
.ollama-magic-panel .jp-RenderedHTMLCommon table { margin-left: 0; margin-right: 0; }
.ollama-magic-panel .jp-RenderedHTMLCommon .highlight {
  padding: 8px 12px; overflow-x: auto; border: 1px solid var(--jp-border-color2, #e0e0e0); border-radius: 6px;
  background: var(--jp-cell-editor-background, #f7f7f7);
}
.ollama-magic-panel .jp-RenderedHTMLCommon .highlight pre {
  width: max-content; min-width: 100%; max-width: none; padding: 0; overflow: visible; background: transparent;
  white-space: pre; overflow-wrap: normal;
}
.ollama-magic-panel .ollama-magic-turn:has(.ollama-magic-stop) .ollama-magic-doings { display: none; }
.ollama-magic-panel :is(.ollama-magic-part-first, .ollama-magic-part-middle) .highlight {
  border-bottom: 0; border-bottom-left-radius: 0; border-bottom-right-radius: 0; padding-bottom: 0;
}
.ollama-magic-panel :is(.ollama-magic-part-middle, .ollama-magic-part-last) .highlight {
  border-top: 0; border-top-left-radius: 0; border-top-right-radius: 0; padding-top: 0;
}
.ollama-magic-panel .ollama-magic-status {
  display: flex; flex-flow: row wrap; align-items: center; gap: 10px; min-height: 26px;
}
.ollama-magic-panel .ollama-magic-doings {
  display: flex; flex-flow: row wrap; align-items: baseline; gap: 2px; min-height: 24px; margin-top: -8px;
}
.ollama-magic-panel .ollama-magic-doings > .widget-html { margin-right: 8px; }
.ollama-magic-panel .ollama-magic-doings small { color: var(--jp-ui-font-color2, #616161); font-size: 11px; }
.ollama-magic-panel .ollama-magic-doings button.jupyter-button {
  height: 22px; line-height: 20px; padding: 0 7px; font-size: 11px; color: var(--jp-ui-font-color2, #616161);
  opacity: 0;
}
.ollama-magic-panel .ollama-magic-turn:is(:hover, :focus-within, :last-child) .ollama-magic-doings button {
  opacity: 1;
}
@media (hover: none) { .ollama-magic-panel .ollama-magic-doings button.jupyter-button { opacity: 1; } }
.ollama-magic-panel button.ollama-magic-earlier.jupyter-button {
  display: block; margin: 0 auto 12px; border-color: var(--jp-border-color2, #e0e0e0); border-radius: 13px;
  padding: 0 14px;
}
.ollama-magic-panel .ollama-magic-empty {
  padding: 18px 0; text-align: center; color: var(--jp-ui-font-color2, #616161);
}
.ollama-magic-panel .ollama-magic-empty p { margin: 4px 0; }
.ollama-magic-panel .ollama-magic-notice { padding: 0 16px 4px; color: var(--jp-ui-font-color2, #616161); }
.ollama-magic-panel .ollama-magic-notice:not(:has(small:not(:empty))) { padding: 0; }
.ollama-magic-panel .ollama-magic-notice.ollama-magic-wrong { color: var(--jp-error-color1, #d32f2f); }
.ollama-magic-panel .ollama-magic-input {
  display: flex; flex-flow: row nowrap; align-items: flex-end; gap: 6px; padding: 8px 10px 10px;
}
.ollama-magic-panel .ollama-magic-turn .ollama-magic-input { padding: 0 0 8px; }
.ollama-magic-panel :is(.ollama-magic-outbox, .widget-html:has(> * > .ollama-magic-got)) { display: none; }
.ollama-magic-panel .ollama-magic-draft { display: block; flex: 1 1 auto; }
.ollama-magic-panel .ollama-magic-draft textarea {
  display: block; width: 100%; height: 36px; min-height: 36px; max-height: 240px; padding: 8px 12px; resize: none;
  line-height: 1.4; font: inherit; font-size: 13px; border-radius: 8px; overflow-y: auto;
  border: 1px solid var(--jp-border-color1, #bdbdbd); background: var(--jp-layout-color0, white);
  color: var(--jp-content-font-color1, inherit);
}
.ollama-magic-panel button.ollama-magic-send.jupyter-button {
  height: 36px; line-height: 34px; padding: 0 16px; border-radius: 8px; color: white; font-weight: 500;
  background: var(--jp-brand-color1, #1976d2);
}
.ollama-magic-panel button.ollama-magic-send.jupyter-button:hover { background: var(--jp-brand-color0, #1565c0); }
.ollama-magic-panel button.ollama-magic-cancel.jupyter-button { height: 36px; line-height: 34px; }
.ollama-magic-panel .ollama-magic-status .ollama-magic-stop.jupyter-button {
  height: 24px; line-height: 22px; border-color: var(--jp-border-color1, #bdbdbd);
}
@container (max-width: 520px) {
  .ollama-magic-panel .ollama-magic-inner { padding: 10px 10px 4px; }
  .ollama-magic-panel .ollama-magic-said { max-width: 92%; }
  .ollama-magic-panel .ollama-magic-bar { gap: 3px; padding: 5px 6px; }
  .ollama-magic-panel .ollama-magic-menu { max-width: 112px; }
  .ollama-magic-panel .ollama-magic-bar > .widget-html { flex-basis: 30px; }
  .ollama-magic-panel .ollama-magic-meter b { width: 30px; }
  .ollama-magic-panel .ollama-magic-meter small { display: none; }
}
.ollama-magic-panel.jupyter-widgets-disconnected { display: none; }
"""


def panel_style(transcript: str) -> str:
    """The style sheet; while the panel lives, it hides the transcript of that name with the output around it."""
    living = f".{transcript}-panel:not(.jupyter-widgets-disconnected)"
    hidden = f"body:has({living}) :is(.{transcript}, .jp-OutputArea-child:has(.{transcript}))"
    return f"<style>{_STYLE}{hidden} {{ display: none; }}</style>"
