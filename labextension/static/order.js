/** Tells the kernel the order of a notebook's code cells, when they change and before a run. */
import { unsettledIn, putSettled } from './mend.js';

const TARGET = 'ollama_magic.cells';
const REST_MS = 100; // after a change; a run does not wait for it
const RESTARTS = new Set(['restarting', 'autorestarting', 'dead', 'terminating']);

/** Have every notebook of the page tell its order to a kernel that asks for it. */
export function linkNotebooks(tracker, actions) {
  const links = new WeakMap();
  const link = panel => {
    if (!links.has(panel.context)) {
      links.set(panel.context, new Link(panel.context));
    }
  };
  tracker.forEach(link);
  tracker.widgetAdded.connect((_, panel) => link(panel));
  actions.executionScheduled.connect((_, { notebook }) => {
    const panel = tracker.find(one => one.content === notebook);
    links.get(panel?.context)?.tell();
  });
}

/** One notebook's line to its kernel. The kernel says that it listens; only then is the comm opened. */
class Link {
  constructor(context) {
    this.context = context;
    this.comm = null;
    this.told = '';
    this.timer = null;
    this.announced = false;
    const session = context.sessionContext;
    session.iopubMessage.connect((_, message) => this.heard(message));
    session.statusChanged.connect((_, status) => RESTARTS.has(status) && this.forget());
    session.kernelChanged.connect(() => this.meet());
    context.disposed.connect(() => clearTimeout(this.timer));
    context.ready.then(() => {
      context.model.cells.changed.connect(() => this.tellSoon());
      this.meet();
    });
  }

  get kernel() {
    return this.context.sessionContext.session?.kernel ?? null;
  }

  /** After a reload, or with another kernel: ask whether it has listened before. */
  async meet() {
    const kernel = this.kernel;
    this.forget();
    if (kernel === null || !this.context.isReady) {
      return;
    }
    if (this.announced) {
      this.open();
      return;
    }
    try {
      const { content } = await kernel.requestCommInfo({ target_name: TARGET });
      const known = content.status === 'ok' && Object.keys(content.comms).length > 0;
      if (known && this.comm === null && kernel === this.kernel && !kernel.isDisposed) {
        this.open();
      }
    } catch {
      // The kernel went away before it answered; the next one is asked anew.
    }
  }

  /** A kernel announces that it listens by an update of a display that nobody has. */
  heard({ header, content }) {
    if (header.msg_type === 'update_display_data' && content.transient?.display_id === TARGET) {
      this.forget();
      this.announced = true;
      if (this.context.isReady) {
        this.open();
      }
    }
  }

  open() {
    this.announced = false;
    if (!this.kernel?.handleComms) {
      return; // another notebook of this page has the same kernel
    }
    const comm = this.kernel.createComm(TARGET);
    comm.commsOverSubshells = 'disabled'; // so that order and run arrive in order
    comm.onMsg = ({ content }) => putSettled(this.context.model, content.data);
    const order = this.order();
    this.comm = comm;
    this.told = order.join();
    comm.open({ order, unsettled: unsettledIn(this.context.model) });
  }

  forget() {
    this.comm = null;
    clearTimeout(this.timer);
  }

  tellSoon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.tell(), REST_MS);
  }

  tell() {
    clearTimeout(this.timer);
    if (this.comm === null || this.comm.isDisposed || this.context.isDisposed) {
      return;
    }
    const order = this.order();
    if (order.join() !== this.told) {
      this.told = order.join();
      this.comm.send({ order });
    }
  }

  order() {
    return Array.from(this.context.model.cells).filter(cell => cell.type === 'code').map(cell => cell.id);
  }
}
