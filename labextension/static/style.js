/** The style sheet of the copy buttons: in a corner, over the code, so that nothing moves. */

const STYLE = `
[class*="ollama-magic"] .highlight:has(> .ollama-magic-copy) { position: relative; }
.ollama-magic-copy {
  position: absolute; top: 2px; right: 4px; z-index: 1; margin: 0; padding: 1px 8px; cursor: pointer;
  font: 11px/16px var(--jp-ui-font-family, sans-serif); opacity: 0;
  color: var(--jp-ui-font-color1, #212121); background: var(--jp-layout-color1, #fff);
  border: 1px solid var(--jp-border-color1, #bdbdbd); border-radius: 3px;
}
.ollama-magic-copy::before { content: attr(data-says); }
.highlight:hover > .ollama-magic-copy, .ollama-magic-copy:focus-visible,
.ollama-magic-copy:not([data-says="Copy"]) { opacity: 1; }
.ollama-magic-copy:hover { background: var(--jp-layout-color2, #eee); }
.ollama-magic-copy:focus-visible { outline: 2px solid var(--jp-brand-color1, #1976d2); outline-offset: 1px; }
@media (hover: none) { .ollama-magic-copy { opacity: 1; } }
@media print { .ollama-magic-copy { display: none; } }
.ollama-magic-copy-status { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
`;

/** Add it to the page. */
export function addStyle() {
  const style = document.createElement('style');
  style.textContent = STYLE;
  document.head.append(style);
}
