/** Draws buttons on the code blocks of answers: live, settled, in the panel, and in a file opened again. */
const CODE = '.highlight > pre';
const OURS = '[class*="ollama-magic"]';
const PART = /\bollama-magic-part-(first|middle|last)\b/;
const ROW = 'ollama-magic-buttons';
const FIRST = 'insert'; // the leftmost, whichever is drawn before the other
const kinds = [];
const SAID_MS = 2000;

/**
 * Draw a button in this node, now and whenever something is added; all kinds of buttons stand in the same node.
 * Its `act(block, code)` does what it `says` and returns the words for it; `fits(block)` is whether it is drawn.
 */
export function drawButtons(root, { name, says, label, act, fits = () => true }) {
  kinds.push(new Buttons({ name, says, label, act, fits }));
  draw(root);
  if (kinds.length === 1) {
    addStyle();
    drawInAdded(root, draw);
  }
}

/** Call `draw` with every element that is added below this node. */
export function drawInAdded(root, draw) {
  new MutationObserver(records => {
    for (const { addedNodes } of records) {
      for (const node of addedNodes) {
        if (node.nodeType === Node.ELEMENT_NODE) {
          draw(node);
        }
      }
    }
  }).observe(root, { childList: true, subtree: true });
}

function draw(node) {
  if (!node.closest(OURS) && !node.querySelector(OURS)) {
    return;
  }
  const codes = node.matches(CODE) ? [node] : node.querySelectorAll(CODE);
  for (const code of codes) {
    const block = code.parentElement;
    if (block.closest(OURS) && beginsBlock(block)) {
      kinds.forEach(buttons => { buttons.draw(block); });
    }
  }
}

function addStyle() {
  const link = document.createElement('link');
  link.rel = 'stylesheet';
  link.href = new URL('buttons.css', import.meta.url).href;
  document.head.append(link);
}

/** The buttons of one kind. A growing block is drawn anew with every paint, and its button with it. */
class Buttons {
  constructor(kind) {
    this.kind = kind;
    this.className = `ollama-magic-${kind.name}`;
    this.said = new WeakMap(); // what a button said, by the element that outlives it
    this.status = document.createElement('div');
    this.status.className = 'ollama-magic-button-status';
    this.status.setAttribute('role', 'status');
    document.body.append(this.status);
  }

  draw(block) {
    if (!this.of(block) && this.kind.fits(block)) {
      this.put(block);
    }
  }

  of(block) {
    return block?.querySelector(`:scope > .${ROW} > .${this.className}`);
  }

  put(block) {
    let row = block.querySelector(`:scope > .${ROW}`);
    if (row === null) {
      row = document.createElement('div');
      row.className = ROW;
      block.prepend(row);
    }
    row.insertBefore(this.button(block), this.kind.name === FIRST ? row.firstChild : null);
  }

  button(block) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = this.className;
    button.setAttribute('data-lm-suppress-shortcuts', 'true'); // Enter and Space are the button's own
    // What is growing may be drawn anew between press and release, so that the press counts.
    const press = event => event.isTrusted && event.button === 0 && this.act(button, block);
    button.addEventListener('mousedown', press);
    button.addEventListener('click', event => event.detail === 0 && press(event)); // by keyboard
    const { words, at, until } = this.said.get(host(block)) ?? {};
    this.write(button, until > Date.now() && at === placeOf(block) ? words : '');
    return button;
  }

  async act(button, block) {
    const [outlives, at] = [host(block), placeOf(block)];
    const words = await this.kind.act(block, codeOf(block));
    const now = () => (button.isConnected ? button : this.of(blocksIn(outlives)[at]));
    this.said.set(outlives, { words, at, until: Date.now() + SAID_MS });
    this.say(now(), words);
    setTimeout(() => this.say(now(), ''), SAID_MS);
  }

  say(button, words) {
    this.status.textContent = words;
    if (button) {
      this.write(button, words);
    }
  }

  /** The label is drawn by the style sheet: it is no text of the answer, neither selected nor found. */
  write(button, words) {
    button.setAttribute('aria-label', words || this.kind.label);
    button.dataset.says = words || this.kind.says;
    button.toggleAttribute('data-said', words !== '');
  }
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
