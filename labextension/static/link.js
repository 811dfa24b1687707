/** One comm to the kernel of each notebook, shared by the plugins that are enabled: each adds what it sends and hears. */

const TARGET = 'ollama_magic.cells';
const RESTARTS = new Set(['restarting', 'autorestarting', 'dead', 'terminating']);
const links = new Map(); // by notebook context
const joins = [];

/**
 * Join the comm of every notebook of the page. `join` takes a `Link` and returns what the plugin adds to it:
 * `opening()` is what it sends when the comm opens, `heard(data)` gets what the kernel sends.
 */
export function joinLinks(tracker, join) {
  joins.push(join);
  for (const link of links.values()) {
    link.add(join);
    link.meet();
  }
  const begin = ({ context }) => {
    if (!links.has(context)) {
      links.set(context, new Link(context));
      context.disposed.connect(() => links.delete(context));
    }
  };
  tracker.forEach(begin);
  tracker.widgetAdded.connect((_, panel) => begin(panel));
}

/** One notebook's line to its kernel. The kernel says that it listens; only then is the comm opened. */
class Link {
  constructor(context) {
    this.context = context;
    this.comm = null;
    this.files = null; // the comm of files, once there was one
    this.announced = false;
    this.parts = [];
    joins.forEach(join => { this.add(join); });
    const session = context.sessionContext;
    session.iopubMessage.connect((_, message) => this.heard(message));
    session.statusChanged.connect((_, status) => RESTARTS.has(status) && this.forget());
    session.kernelChanged.connect(() => this.meet());
    context.ready.then(() => this.meet());
  }

  add(join) {
    this.parts.push(join(this));
  }

  /** Send something, if the kernel listens; `buffers` are bytes beside it. */
  send(data, buffers) {
    if (this.open) {
      this.comm.send(data, undefined, buffers);
    }
  }

  /** Send a piece of a file: where the kernel has subshells it gets it while a cell blocks, as it gets a prompt. */
  async sendFile(data, buffers) {
    this.files ??= this.openFiles();
    const comm = await this.files;
    if (this.open && !comm.isDisposed) {
      comm.send(data, undefined, buffers);
    }
  }

  async openFiles() {
    const { kernel } = this;
    const comm = kernel.createComm(TARGET);
    if (kernel.supportsSubshells && comm.commsOverSubshells !== 'disabled') {
      await comm.subshellStarted?.catch(() => {}); // without one the piece waits for the cell
    }
    comm.open({});
    return comm;
  }

  get open() {
    return this.comm !== null && !this.comm.isDisposed && !this.context.isDisposed;
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
      this.begin();
      return;
    }
    try {
      const { content } = await kernel.requestCommInfo({ target_name: TARGET });
      const known = content.status === 'ok' && Object.keys(content.comms).length > 0;
      if (known && this.comm === null && kernel === this.kernel && !kernel.isDisposed) {
        this.begin();
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
        this.begin();
      }
    }
  }

  begin() {
    this.announced = false;
    if (!this.kernel?.handleComms) {
      return; // another notebook of this page has the same kernel
    }
    const comm = this.kernel.createComm(TARGET);
    comm.commsOverSubshells = 'disabled'; // so that order and run arrive in order
    comm.onMsg = ({ content }) => {
      this.parts.forEach(part => { part.heard?.(content.data); });
    };
    const opening = Object.assign({}, ...this.parts.map(part => part.opening()));
    this.comm = comm;
    comm.open(opening);
  }

  forget() {
    this.comm = null;
    this.files = null;
  }
}
