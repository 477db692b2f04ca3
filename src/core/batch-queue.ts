/** Collects items and processes them in batches, one per turn of the event loop. */
import { AsyncLocalStorage } from "node:async_hooks";

/**
 * Collects items and passes them to `drain` in batches: everything pushed before the next `setImmediate`
 * arrives in one array, in order. `drain` is synchronous, settles its items itself, and must not throw.
 *
 * The timer belongs to the context in which the queue was created, not to the caller's. A queue created by the
 * host therefore outlives a disposed `Bun.ModuleGraph` whose code used it; a queue created inside a graph ends
 * with that graph, so `flush()` it first.
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
   * Drains everything that is queued, including what is pushed meanwhile, before it returns.
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
