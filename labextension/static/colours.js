/** Colours and wraps the cells of `%%chat` and `%%generate` as Markdown, and switches while one types. */
import { markdownBelowMagic } from './language.js';

const CHAT_CELL = /^(?:[ \t]*\n)*%%(?:chat|generate)(?![^\s])/;
const LOOK_AT = 2000; // characters: what stands so far down is no first line

/** Add to every code cell's editor what colours it while it is one of ours. */
export function colourChatCells(packages, extensions, languages) {
  const { EditorExtensionRegistry } = packages['@jupyterlab/codemirror'];
  const markdown = loadMarkdown(packages, languages);
  extensions.addExtension({
    name: 'ollama-magic:colours',
    factory: ({ model }) =>
      model.type === 'code'
        ? EditorExtensionRegistry.createImmutableExtension(colouring(packages, markdown))
        : null
  });
}

/** Whether a document is a cell of ours; leading empty lines do not count. */
function chats(doc) {
  return CHAT_CELL.test(doc.sliceString(0, LOOK_AT));
}

function loadMarkdown(packages, languages) {
  const { EditorView } = packages['@codemirror/view'];
  const { Prec } = packages['@codemirror/state'];
  return languages.getLanguage('text/x-ipythongfm').then(found => {
    const language = markdownBelowMagic(packages, found.support.language);
    return Prec.highest([language, EditorView.lineWrapping]);
  });
}

/**
 * The change of colours rides on the very transaction that makes a cell ours, or no longer ours: it is no step of
 * the undo history. What is Markdown is known later than the first editor is made.
 */
function colouring(packages, markdown) {
  const { Compartment, EditorState } = packages['@codemirror/state'];
  const { ViewPlugin } = packages['@codemirror/view'];
  const look = new Compartment();
  let dressed = null;

  const follow = EditorState.transactionExtender.of(transaction => {
    const ours = transaction.docChanged && dressed !== null;
    const changed = ours && chats(transaction.newDoc) !== chats(transaction.startState.doc);
    return changed ? { effects: look.reconfigure(chats(transaction.newDoc) ? dressed : []) } : null;
  });
  const begin = ViewPlugin.define(view => {
    let open = true;
    markdown.then(found => {
      dressed = found;
      if (open && chats(view.state.doc)) {
        view.dispatch({ effects: look.reconfigure(found) });
      }
    });
    return { destroy: () => { open = false; } };
  });
  return [look.of([]), follow, begin];
}
