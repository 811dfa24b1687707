/** Tells the kernel the order of a notebook's code cells, when they change and before a run. */
import { joinLinks } from './link.js';

const REST_MS = 100; // after a change; a run does not wait for it

/** Have every notebook of the page send its order to a kernel that asks for it. */
export function sendOrder(tracker, actions) {
  const orders = new WeakMap(); // by notebook context
  joinLinks(tracker, link => {
    const order = new CellOrder(link);
    orders.set(link.context, order);
    return order;
  });
  actions.executionScheduled.connect((_, { notebook }) => {
    const panel = tracker.find(one => one.content === notebook);
    orders.get(panel?.context)?.send();
  });
}

/** The order of one notebook; sent only when it is another than before. */
class CellOrder {
  constructor(link) {
    this.link = link;
    this.sent = '';
    this.timer = null;
    const { context } = link;
    context.ready.then(() => context.model.cells.changed.connect(() => this.sendSoon()));
    context.disposed.connect(() => clearTimeout(this.timer));
  }

  opening() {
    const order = this.order();
    this.sent = order.join();
    return { order };
  }

  sendSoon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.send(), REST_MS);
  }

  send() {
    clearTimeout(this.timer);
    if (this.link.open && this.order().join() !== this.sent) {
      this.link.send(this.opening());
    }
  }

  order() {
    const cells = Array.from(this.link.context.model.cells);
    return cells.filter(cell => cell.type === 'code').map(cell => cell.id);
  }
}
