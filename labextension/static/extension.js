/** The plugins of the extension; each can be disabled on its own, as `ollama-magic:colours` and so on. */
import { sharedPackages } from './shared.js';
import { colourChatCells } from './colours.js';
import { linkNotebooks } from './order.js';
import { drawCopyButtons } from './copy.js';
import { mendOutputs } from './mend.js';

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
  return packages === null ? [] : [colours(packages), order(packages), mending(packages), copying()];
}

function colours(packages) {
  const { IEditorExtensionRegistry, IEditorLanguageRegistry } = packages['@jupyterlab/codemirror'];
  return {
    id: 'ollama-magic:colours',
    description: 'Colours and wraps `%%chat` and `%%generate` cells as Markdown.',
    autoStart: true,
    requires: [IEditorExtensionRegistry, IEditorLanguageRegistry],
    activate: (app, extensions, languages) => colourChatCells(packages, extensions, languages)
  };
}

function order(packages) {
  const { INotebookTracker, NotebookActions } = packages['@jupyterlab/notebook'];
  return {
    id: 'ollama-magic:order',
    description: 'Tells the kernel the order of the code cells.',
    autoStart: true,
    requires: [INotebookTracker],
    activate: (app, tracker) => linkNotebooks(tracker, NotebookActions)
  };
}

function mending(packages) {
  const { INotebookTracker } = packages['@jupyterlab/notebook'];
  return {
    id: 'ollama-magic:mending',
    description: 'Puts answers into outputs that missed their end, as after a reload in mid-answer.',
    autoStart: true,
    requires: [INotebookTracker],
    activate: (app, tracker) => mendOutputs(tracker)
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
