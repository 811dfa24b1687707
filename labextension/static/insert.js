/** Inserts the code of an answer as a new cell below it; the cell does not run, and no kernel is needed. */
import { drawButtons } from './buttons.js';

/** Draw an *Insert below* button on every code block of answers in a notebook of this node. */
export function drawInsertButtons(root, tracker) {
  drawButtons(root, {
    name: 'insert',
    says: 'Insert below',
    label: 'Insert code as a new cell below',
    act: async (block, code) => (insertBelow(tracker, block, code) ? 'Inserted' : 'Not inserted'),
    fits: block => block.closest('.jp-Notebook') !== null // an output may also stand in a view of its own
  });
}

/** Insert a code cell below the cell that shows this block; whether that was possible. */
function insertBelow(tracker, block, code) {
  const notebook = tracker.find(one => one.content.node.contains(block))?.content;
  const at = notebook?.widgets.findIndex(cell => cell.node.contains(block)) ?? -1;
  if (at < 0 || notebook.model.readOnly) {
    return false;
  }
  notebook.model.sharedModel.insertCell(at + 1, { cell_type: 'code', source: code, metadata: { trusted: true } });
  setTimeout(() => activate(notebook, notebook.widgets[at + 1])); // after the press has made the cell of the answer active
  return true;
}

/** Make the new cell the active one, in command mode, and have it in sight. */
function activate(notebook, cell) {
  const at = notebook.isDisposed ? -1 : notebook.widgets.indexOf(cell);
  if (at >= 0) {
    notebook.deselectAll();
    notebook.activeCellIndex = at;
    notebook.mode = 'command';
    notebook.activate();
    notebook.scrollToItem(at, 'smart').catch(() => {}); // it may be gone by then
  }
}
