/** Mends outputs that missed the end of their answer, as after a reload in mid-answer: in the page and the file. */

const RUNNING = 'running';
const MOST = 200; // outputs asked about at once

/** Listen to the kernels of all notebooks. */
export function mendOutputs(tracker) {
  const heard = new WeakSet();
  const listen = ({ context }) => {
    if (!heard.has(context)) {
      heard.add(context);
      const mender = new Mender(context);
      context.sessionContext.iopubMessage.connect((_, message) => mender.heard(message));
    }
  };
  tracker.forEach(listen);
  tracker.widgetAdded.connect((_, panel) => listen(panel));
}

/** What our outputs say of themselves that are, by their own account, still on their way. */
export function unsettledIn(model) {
  const found = [];
  for (const { output } of outputsOf(model)) {
    const label = labelOf(output.metadata);
    if (label?.state === RUNNING && found.length < MOST) {
      found.push(label);
    }
  }
  return found;
}

/** Put the kernel's answer in: a list of settled bundles with their slots. */
export function putSettled(model, data) {
  const settled = Array.isArray(data?.settled) ? data.settled : [];
  for (const { data: bundle, metadata } of settled) {
    put(model, bundle, metadata);
  }
}

/** One notebook: an output that this page saw begin is JupyterLab's own business, any other is ours. */
class Mender {
  constructor(context) {
    this.context = context;
    this.seen = new Map();
  }

  heard({ header, content }) {
    const label = labelOf(content.metadata);
    const display = content.transient?.display_id;
    if (!label || !display) {
      return;
    }
    if (header.msg_type === 'display_data') {
      this.seen.set(label.slot, display);
    } else if (header.msg_type === 'update_display_data' && label.state !== RUNNING && !this.seen.has(label.slot)) {
      if (put(this.context.model, content.data, content.metadata)) {
        this.seen.set(label.slot, display);
      }
    }
  }
}

/** Replace the running output of that slot; return whether there was one. */
function put(model, data, metadata) {
  const label = labelOf(metadata);
  if (!label || !data || !model) {
    return false;
  }
  for (const { outputs, output, at } of outputsOf(model)) {
    const mine = labelOf(output.metadata);
    if (mine?.slot === label.slot && mine.state === RUNNING) {
      outputs.set(at, { output_type: 'display_data', data, metadata });
      return true;
    }
  }
  return false;
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
