/** Draws a *Keep* button under every answer that stands beside the remembered one; the kernel remembers that one then. */
import { drawInAdded } from './buttons.js';
import { joinLinks } from './link.js';

const HINT = '.ollama-magic-keep';
const COLUMN = '.ollama-magic-column';
const WAIT_MS = 2000; // a cell that runs lets the kernel answer later
const WAITING = 'Waiting…';
const NOT_LOADED = 'Run %load_ext ollama_magic first';
const NOT_KEPT = 'No longer part of the conversation: run the cell again';

/** Draw the buttons in this node, now and whenever something is added, for the notebooks of a tracker. */
export function drawKeepButtons(root, tracker) {
  const links = new Map(); // by notebook context
  joinLinks(tracker, link => {
    links.set(link.context, link);
    link.context.disposed.connect(() => links.delete(link.context));
    return { opening: () => ({}), heard: ({ kept }) => kept && put(link.context.model, kept) };
  });
  const keep = hint => {
    const found = outputOf(tracker, hint);
    const link = found && links.get(found.context);
    if (!link?.open) {
      return NOT_LOADED;
    }
    const { slot, conversation = null, prompt = null } = found.label;
    const columns = [...hint.closest(COLUMN).parentElement.children];
    link.send({ keep: { slot, conversation, prompt, column: columns.indexOf(hint.closest(COLUMN)) + 1 } });
    return WAITING;
  };
  const draw = node => {
    for (const hint of node.matches(HINT) ? [node] : node.querySelectorAll(HINT)) {
      if (hint.closest('.jp-Notebook') && !hint.querySelector('button')) {
        hint.prepend(button(() => keep(hint), () => isIdle(tracker, hint)));
      }
    }
  };
  draw(root);
  drawInAdded(root, draw);
}

/** The button: `press` returns the words for it; `idle` whether a kernel that has not answered would have. */
function button(press, idle) {
  const made = document.createElement('button');
  made.type = 'button';
  made.title = 'Remember this answer: later turns are sent after it';
  made.textContent = 'Keep';
  made.setAttribute('aria-live', 'polite');
  made.setAttribute('data-lm-suppress-shortcuts', 'true'); // Enter and Space are the button's own
  made.addEventListener('click', () => {
    made.textContent = press();
    setTimeout(() => {
      const refused = made.textContent === WAITING && made.isConnected && idle();
      made.textContent = refused ? NOT_KEPT : 'Keep';
      setTimeout(() => { made.textContent = 'Keep'; }, refused ? 2 * WAIT_MS : 0);
    }, WAIT_MS);
  });
  return made;
}

function isIdle(tracker, node) {
  const panel = tracker.find(one => one.content.node.contains(node));
  return panel?.sessionContext.session?.kernel?.status === 'idle';
}

/** The output that shows this node: its notebook, and what it says of itself. */
function outputOf(tracker, node) {
  const panel = tracker.find(one => one.content.node.contains(node));
  const area = panel?.content.widgets.find(cell => cell.node.contains(node))?.outputArea;
  const at = area?.widgets.findIndex(widget => widget.node.contains(node)) ?? -1;
  const label = at >= 0 ? area.model.get(at)?.metadata?.ollama_magic : undefined;
  return typeof label?.slot === 'string' ? { context: panel.context, label } : null;
}

/** Show the choice in a page that has been loaded since: the update of a display does not reach it. */
function put(model, { bundle, label }) {
  for (const { type, outputs } of model?.cells ?? []) {
    for (let at = 0; type === 'code' && at < outputs.length; at++) {
      const { data, metadata } = outputs.get(at);
      const mine = metadata?.ollama_magic;
      if (mine?.slot === label.slot && mine.column !== label.column && data['text/html']) {
        const said = { ...metadata, ollama_magic: { ...mine, ...label } };
        outputs.set(at, { output_type: 'display_data', data: bundle, metadata: said });
      }
    }
  }
}
