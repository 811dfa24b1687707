/** Draws copy buttons on the code blocks of answers: live, settled, in the panel, and in a file opened again. */
import { addStyle } from './style.js';

const CODE = '.highlight > pre';
const OURS = '[class*="ollama-magic"]';
const PART = /\bollama-magic-part-(first|middle|last)\b/;
const BUTTON = 'ollama-magic-copy';
const SAID_MS = 2000;

/** Draw them in this node, now and whenever something is added. */
export function drawCopyButtons(root) {
  addStyle();
  const buttons = new CopyButtons();
  buttons.draw(root);
  new MutationObserver(records => {
    for (const { addedNodes } of records) {
      addedNodes.forEach(node => node.nodeType === Node.ELEMENT_NODE && buttons.draw(node));
    }
  }).observe(root, { childList: true, subtree: true });
}

/** The buttons of one page. A growing block is drawn anew with every paint, and its button with it. */
class CopyButtons {
  constructor() {
    this.said = new WeakMap(); // what a button said, by the element that outlives it
    this.status = document.createElement('div');
    this.status.className = 'ollama-magic-copy-status';
    this.status.setAttribute('role', 'status');
    document.body.append(this.status);
  }

  draw(node) {
    if (!node.closest(OURS) && !node.querySelector(OURS)) {
      return;
    }
    const codes = node.matches(CODE) ? [node] : node.querySelectorAll(CODE);
    for (const code of codes) {
      const block = code.parentElement;
      if (block.closest(OURS) && beginsBlock(block) && !block.querySelector(`:scope > .${BUTTON}`)) {
        block.prepend(this.button(block));
      }
    }
  }

  button(block) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = BUTTON;
    button.setAttribute('data-lm-suppress-shortcuts', 'true'); // Enter and Space are the button's own
    // What is growing may be drawn anew between press and release, so that the press counts.
    const press = event => event.isTrusted && event.button === 0 && this.copy(button, block);
    button.addEventListener('mousedown', press);
    button.addEventListener('click', event => event.detail === 0 && press(event)); // by keyboard
    const { words, at, until } = this.said.get(host(block)) ?? {};
    label(button, until > Date.now() && at === placeOf(block) ? words : '');
    return button;
  }

  async copy(button, block) {
    const [outlives, at] = [host(block), placeOf(block)];
    const words = (await toClipboard(codeOf(block))) ? 'Copied' : 'Not copied';
    const now = () => (button.isConnected ? button : blocksIn(outlives)[at]?.querySelector(`.${BUTTON}`));
    this.said.set(outlives, { words, at, until: Date.now() + SAID_MS });
    this.say(now(), words);
    setTimeout(() => this.say(now(), ''), SAID_MS);
  }

  say(button, words) {
    this.status.textContent = words;
    if (button) {
      label(button, words);
    }
  }
}

/** The label is drawn by the style sheet: it is no text of the answer, neither selected nor found. */
function label(button, words) {
  button.setAttribute('aria-label', words || 'Copy code');
  button.dataset.says = words || 'Copy';
}

/** What outlives a paint: the widget of a live block; a settled block itself. */
function host(block) {
  return block.closest('.widget-html, .jupyter-widget-html') ?? block;
}

function placeOf(block) {
  return blocksIn(host(block)).indexOf(block);
}

function blocksIn(node) {
  return node.matches('.highlight') ? [node] : [...node.querySelectorAll(CODE)].map(code => code.parentElement);
}

/** A long fence stands in several parts while it is live; the first of them has the button for all. */
function beginsBlock(block) {
  return !['middle', 'last'].includes(partOf(block));
}

function partOf(block) {
  return PART.exec(block.parentElement.className)?.[1] ?? '';
}

/** The code as it stands in the answer, without the newline that ends its last line. */
function codeOf(block) {
  const parts = [block];
  if (partOf(block) === 'first') {
    const all = blocksIn(block.closest('.ollama-magic-live'));
    for (const next of all.slice(all.indexOf(block) + 1)) {
      if (beginsBlock(next)) {
        break;
      }
      parts.push(next);
    }
  }
  const text = parts.map(part => part.querySelector(':scope > pre').textContent).join('');
  return text.replace(/\n$/, '');
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
