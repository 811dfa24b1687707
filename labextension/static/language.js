/** Markdown whose first line is a magic. JupyterLab's own Markdown is asked, and taught that one line. */

const MAGIC = /^%%(?:chat|generate)(?![^\s])/;
const OPTION = /^--?[A-Za-z]/;

/** The language of a chat cell: that of Markdown cells below the line of the magic. */
export function markdownBelowMagic(packages, markdown) {
  const { Language } = packages['@codemirror/language'];
  const { tags } = packages['@lezer/highlight'];
  const parser = markdown.parser.configure({
    defineNodes: [
      { name: 'OllamaMagic', block: true },
      { name: 'OllamaMagicName', style: tags.keyword },
      { name: 'OllamaMagicOption', style: tags.meta }
    ],
    parseBlock: [{ name: 'OllamaMagic', before: 'LinkReference', parse: parseMagic }]
  });
  return new Language(markdown.data, parser, [], 'markdown').extension;
}

/** Take the first line, if it is a magic, as a block of its own; the prompt begins behind it. */
function parseMagic(context, line) {
  const first = context.lineStart === 0 || !context.input.read(0, context.lineStart).trim();
  if (!first || !MAGIC.test(line.text)) {
    return false;
  }
  const from = context.lineStart;
  const parts = optionsOf(line.text).map(([kind, start, end]) => context.elt(kind, from + start, from + end));
  context.addElement(context.elt('OllamaMagic', from, from + line.text.length, parts));
  context.nextLine();
  return true;
}

/** Name and options with their places: options end at the first word that is neither one nor behind one. */
function optionsOf(text) {
  const found = [];
  let behindOption = false;
  for (const { 0: word, index } of text.matchAll(/\S+/g)) {
    const option = OPTION.test(word);
    if (index === 0 || option) {
      found.push([index === 0 ? 'OllamaMagicName' : 'OllamaMagicOption', index, index + word.length]);
    } else if (!behindOption) {
      break;
    }
    behindOption = option || index === 0 ? option : false;
  }
  return found;
}
