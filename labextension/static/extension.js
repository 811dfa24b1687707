/** The plugins of the extension; each can be disabled on its own, as `ollama-magic:colours` and so on. */
import { sharedPackages } from './shared.js';
import { colourChatCells } from './colours.js';
import { sendOrder } from './order.js';
import { drawCopyButtons } from './copy.js';
import { drawInsertButtons } from './insert.js';
import { drawKeepButtons } from './keep.js';
import { repairOutputs } from './repair.js';
import { passFiles } from './files.js';

const NEEDED = [
  '@codemirror/language',
  '@codemirror/state',
  '@codemirror/view',
  '@jupyterlab/codemirror',
  '@jupyterlab/notebook',
  '@lezer/highlight'
];

/** What JupyterLab activates; none where it does not share what we need. */
export async function plugins(scope) {
  const packages = await sharedPackages(scope, NEEDED);
  if (packages === null) {
    return [];
  }
  const onNotebooks = [order(packages), repair(packages), files(packages), inserting(packages), keeping(packages)];
  return [colours(packages), ...onNotebooks, copying()];
}

function colours(packages) {
  const { IEditorExtensionRegistry, IEditorLanguageRegistry } = packages['@jupyterlab/codemirror'];
  return {
    id: 'ollama-magic:colours',
    description: 'Colours and wraps `%%chat` and `%%generate` cells as Markdown.',
    autoStart: true,
    requires: [IEditorExtensionRegistry, IEditorLanguageRegistry],
    activate: (_app, extensions, languages) => colourChatCells(packages, extensions, languages)
  };
}

function order(packages) {
  const { INotebookTracker, NotebookActions } = packages['@jupyterlab/notebook'];
  return {
    id: 'ollama-magic:order',
    description: 'Tells the kernel the order of the code cells.',
    autoStart: true,
    requires: [INotebookTracker],
    activate: (_app, tracker) => sendOrder(tracker, NotebookActions)
  };
}

function repair(packages) {
  const { INotebookTracker } = packages['@jupyterlab/notebook'];
  return {
    id: 'ollama-magic:repair',
    description: 'Puts answers into outputs that missed their end, as after a reload in mid-answer.',
    autoStart: true,
    requires: [INotebookTracker],
    activate: (_app, tracker) => repairOutputs(tracker)
  };
}

function files(packages) {
  const { INotebookTracker } = packages['@jupyterlab/notebook'];
  return {
    id: 'ollama-magic:files',
    description: 'Attaches files that are dropped on a chat panel or pasted into it.',
    autoStart: true,
    requires: [INotebookTracker],
    activate: (app, tracker) => passFiles(tracker, app.shell.node)
  };
}

function copying() {
  return {
    id: 'ollama-magic:copy',
    description: 'Draws copy buttons on the code blocks of answers.',
    autoStart: true,
    activate: app => drawCopyButtons(app.shell.node)
  };
}

function inserting(packages) {
  const { INotebookTracker } = packages['@jupyterlab/notebook'];
  return {
    id: 'ollama-magic:insert',
    description: 'Draws buttons on the code blocks of answers that insert the code as a new cell below.',
    autoStart: true,
    requires: [INotebookTracker],
    activate: (app, tracker) => drawInsertButtons(app.shell.node, tracker)
  };
}

function keeping(packages) {
  const { INotebookTracker } = packages['@jupyterlab/notebook'];
  return {
    id: 'ollama-magic:keep',
    description: 'Draws buttons under the answers of several models that choose which one is remembered.',
    autoStart: true,
    requires: [INotebookTracker],
    activate: (app, tracker) => drawKeepButtons(app.shell.node, tracker)
  };
}
