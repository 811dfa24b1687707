/** Copies the code of an answer to the clipboard. */
import { drawButtons } from './buttons.js';

/** Draw a *Copy* button on every code block of answers in this node. */
export function drawCopyButtons(root) {
  drawButtons(root, {
    name: 'copy',
    says: 'Copy',
    label: 'Copy code',
    act: async (_block, code) => ((await toClipboard(code)) ? 'Copied' : 'Not copied')
  });
}

async function toClipboard(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copiedBySelection(text);
  }
}

/** Where the page is not secure (plain HTTP from another machine) there is no clipboard to write to. */
function copiedBySelection(text) {
  const fill = event => {
    event.clipboardData.setData('text/plain', text);
    event.preventDefault();
    event.stopPropagation();
  };
  document.addEventListener('copy', fill, true);
  try {
    return document.execCommand('copy');
  } finally {
    document.removeEventListener('copy', fill, true);
  }
}
