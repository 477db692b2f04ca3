/** A mutex per key, with deadlock detection. */
import { AsyncLocalStorage } from "node:async_hooks";

/** A cycle of keys that wait for each other, from one back to itself. */
export type Cycle = readonly string[];

/** Work that holds its key. */
interface Running {
  readonly key: string;
  /** True until the work has settled, whatever it started that lives on. */
  open: boolean;
}

/**
 * Serialises work per key. Work on different keys runs concurrently.
 *
 * @example
 * const mutex = new KeyedMutex();
 * await mutex.runExclusive("board", () => save("board"));
 */
export class KeyedMutex {
  readonly #latest = new Map<string, Promise<void>>();
  /** The work that the running code belongs to. */
  readonly #running = new AsyncLocalStorage<Running>();
  /** Which running work waits for which key. */
  readonly #waits = new Set<{ key: string; for: string }>();
  readonly #refusal: (cycle: Cycle) => Error;

  /** @param refusal Creates the error for work that would wait for itself. */
  constructor(refusal = (cycle: Cycle) => new Error(`this would wait for itself: ${cycle.join(" → ")}`)) {
    this.#refusal = refusal;
  }

  /**
   * Runs `work` after all earlier work with the same key, and settles like it. Rejects when the calling work
   * would, directly or indirectly, wait for itself.
   */
  runExclusive<T>(key: string, work: () => Promise<T>): Promise<T> {
    const asking = this.#asking()?.key;
    if (asking === undefined) return this.#enqueue(key, work);
    const path = this.#waitPath(key, asking);
    if (path) return Promise.reject(this.#refusal([asking, ...path]));
    const wait = { key: asking, for: key };
    this.#waits.add(wait);
    return this.#enqueue(key, work).finally(() => this.#waits.delete(wait));
  }

  /** Whether no work with this key is running or queued. */
  isFree(key: string): boolean {
    return !this.#latest.has(key);
  }

  #enqueue<T>(key: string, work: () => Promise<T>): Promise<T> {
    const running = { key, open: true };
    const result = (this.#latest.get(key) ?? Promise.resolve()).then(() => this.#running.run(running, work));
    const over = () => {
      running.open = false;
      if (this.#latest.get(key) === settled) this.#latest.delete(key);
    };
    const settled = result.then(over, over);
    this.#latest.set(key, settled);
    return result;
  }

  /** Binds `fn` to the calling work, whatever context it is called in later. */
  partOf<T>(fn: () => T): () => T {
    const asking = this.#asking();
    return asking === undefined ? fn : () => this.#running.run(asking, fn);
  }

  /** The calling work, unless it has settled. */
  #asking(): Running | undefined {
    const running = this.#running.getStore();
    return running?.open ? running : undefined;
  }

  /** The path by which `from` waits for `to`. Terminates, since cycles are rejected. */
  #waitPath(from: string, to: string): Cycle | undefined {
    if (from === to) return [to];
    for (const wait of this.#waits) {
      const rest = wait.key === from ? this.#waitPath(wait.for, to) : undefined;
      if (rest) return [from, ...rest];
    }
    return undefined;
  }
}
