/** Passes files that are dropped on a chat panel, pasted into it or chosen, to the kernel, which attaches them. */
import { joinLinks } from './link.js';

const MOST_BYTES = 64_000_000; // of a larger file the kernel gets name and size, and says so
const PIECE_BYTES = 4_000_000; // a server closes the connection of a page whose message has more than 10 MB
const OVER = 'ollama-magic-over';

/** Listen to what is dropped and pasted below a node. */
export function passFiles(tracker, node) {
  const links = new Map(); // by notebook context
  joinLinks(tracker, link => {
    links.set(link.context, link);
    link.context.disposed.connect(() => links.delete(link.context));
    return { opening: () => ({}) };
  });

  const linkOf = panel => links.get(tracker.find(one => one.node.contains(panel))?.context);

  const pass = async (event, files) => {
    const panel = panelOf(event);
    const link = panel && files.length > 0 ? linkOf(panel) : undefined;
    if (!link?.open) {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    await sendFiles(link, nameOf(panel), Array.from(files));
  };

  // The widget's own button would send a file in one message, however large.
  const choose = event => {
    const panel = panelOf(event);
    const link = panel && event.target.closest('.ollama-magic-attach') ? linkOf(panel) : undefined;
    if (!link?.open) {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    const input = Object.assign(document.createElement('input'), { type: 'file', multiple: true });
    input.addEventListener('change', () => sendFiles(link, nameOf(panel), Array.from(input.files)));
    input.click();
  };

  const over = event => {
    const panel = panelOf(event);
    if (panel && event.dataTransfer.types.includes('Files')) {
      event.preventDefault();
      event.dataTransfer.dropEffect = 'copy';
      panel.classList.toggle(OVER, event.type === 'dragover');
    }
  };

  node.addEventListener('click', choose, true);
  node.addEventListener('dragover', over, true);
  node.addEventListener('dragleave', over, true);
  node.addEventListener('drop', event => {
    panelOf(event)?.classList.remove(OVER);
    pass(event, event.dataTransfer.files);
  }, true);
  node.addEventListener('paste', event => {
    // What has a text as well, as a copied table has, is pasted as text.
    const { files, types } = event.clipboardData;
    pass(event, types.includes('text/plain') ? [] : files);
  }, true);
}

async function sendFiles(link, panel, files) {
  for (const file of files) {
    const about = { panel, name: file.name, size: file.size, mark: crypto.getRandomValues(new Uint32Array(4)).join('.') };
    if (file.size > MOST_BYTES) {
      await link.sendFile({ file: about });
      continue;
    }
    for (let at = 0; at === 0 || at < file.size; at += PIECE_BYTES) {
      const piece = await file.slice(at, at + PIECE_BYTES).arrayBuffer().catch(() => null);
      await link.sendFile({ file: about }, piece ? [piece] : undefined);
      if (piece === null) {
        break; // a folder, or a file that has gone: the kernel gets name and size, and says so
      }
    }
  }
}

function panelOf(event) {
  return event.target instanceof Element ? event.target.closest('.ollama-magic-panel') : null;
}

/** The class that only this panel has. */
function nameOf(panel) {
  const [list] = Array.from(panel.classList).filter(one => /^ollama-magic-.+-panel$/.test(one));
  return list ?? '';
}
