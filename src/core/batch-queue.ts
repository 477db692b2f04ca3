import { AsyncLocalStorage } from "node:async_hooks";

/**
 * Collects items and hands them on in batches: everything pushed before the
 * next `setImmediate` arrives at `drain` in one array, in order.
 *
 * The timer belongs to the context in which the queue was made, not to that of
 * whoever pushes. A queue made by the host therefore keeps going when a
 * `Bun.ModuleGraph` whose code used it is disposed; one made inside a graph
 * ends with that graph, so `flush()` or `close()` it first.
 *
 * `drain` is synchronous and must not throw: it settles its items itself.
 */
export class BatchQueue<Item> {
  readonly #drain: (items: Item[]) => void;
  readonly #inOwnContext = AsyncLocalStorage.snapshot();
  #items: Item[] = [];
  #scheduled = false;
  #draining = false;

  constructor(drain: (items: Item[]) => void) {
    this.#drain = drain;
  }

  /** Adds an item to the next batch. */
  push(item: Item): void {
    this.#items.push(item);
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#inOwnContext(() =>
      setImmediate(() => {
        this.#scheduled = false;
        this.flush();
      }),
    );
  }

  /**
   * Drains everything that is queued before it returns, including what is
   * pushed meanwhile.
   *
   * @throws Error when called from inside `drain`.
   */
  flush(): void {
    if (this.#draining) throw new Error("cannot flush from inside a batch that is being written");
    this.#draining = true;
    try {
      while (this.#items.length > 0) {
        const batch = this.#items;
        this.#items = [];
        this.#drain(batch);
      }
    } finally {
      this.#draining = false;
    }
  }
}
