/** Repairs outputs that missed the end of their answer, as after a reload in mid-answer: in the page and the file. */
import { joinLinks } from './link.js';

const RUNNING = 'running';
const MOST = 200; // outputs asked about at once
const repaired = new WeakMap(); // by notebook model: the slots whose output we have put in

/** Ask the kernels of all notebooks for what was missed, and listen to what they say meanwhile. */
export function repairOutputs(tracker) {
  joinLinks(tracker, ({ context }) => {
    context.sessionContext.iopubMessage.connect((_, message) => heard(context.model, message));
    return {
      opening: () => ({ unsettled: unsettledIn(context.model) }),
      heard: data => putSettled(context.model, data)
    };
  });
}

/** What our outputs say of themselves that are still on their way, or are a panel's, which may have gone on. */
function unsettledIn(model) {
  const found = [];
  for (const { output } of outputsOf(model)) {
    const label = labelOf(output.metadata);
    if (label && isOpen(label) && found.length < MOST) {
      const { slot, conversation = null, prompt = null } = label;
      found.push({ slot, conversation, prompt });
    }
  }
  return found;
}

/** Put the kernel's answer in: bundles with the slot, model and state of each. */
function putSettled(model, answer) {
  for (const { bundle, label } of Array.isArray(answer?.settled) ? answer.settled : []) {
    put(model, bundle, label);
  }
}

/**
 * Put in what settles, after JupyterLab itself did: the output of a page that was reloaded meanwhile, and of a cell
 * that was moved or pasted, is not known to it any more.
 */
function heard(model, { header, content }) {
  const label = labelOf(content.metadata);
  if (label && header.msg_type === 'update_display_data' && label.state !== RUNNING) {
    put(model, content.data, label);
  }
}

/** Replace the output of that slot, if it is not at its end or was put in by us before. */
function put(model, bundle, label) {
  const ours = repaired.get(model) ?? new Set();
  for (const { outputs, output, at } of outputsOf(model)) {
    const mine = labelOf(output.metadata);
    const same = mine && output.data['text/plain'] === bundle['text/plain'] && mine.state === label.state;
    if (mine?.slot === label.slot && !same && (isOpen(mine) || ours.has(label.slot))) {
      const metadata = { ...output.metadata, ollama_magic: { ...mine, ...label } };
      outputs.set(at, { output_type: 'display_data', data: bundle, metadata });
      repaired.set(model, ours.add(label.slot));
    }
  }
}

function isOpen({ state, panel }) {
  return state === RUNNING || panel !== undefined;
}

function labelOf(metadata) {
  const label = metadata?.ollama_magic;
  return typeof label?.slot === 'string' ? label : null;
}

function* outputsOf(model) {
  for (const { type, outputs } of model?.cells ?? []) {
    for (let at = 0; type === 'code' && at < outputs.length; at++) {
      yield { outputs, at, output: outputs.get(at) };
    }
  }
}
