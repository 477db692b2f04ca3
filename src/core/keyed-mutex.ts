import { AsyncLocalStorage } from "node:async_hooks";

/** The keys from one back to itself. */
export type Cycle = readonly string[];

/** Work that has its turn. */
interface Running {
  readonly key: string;
  /** Until it has settled, whatever it started that lives on. */
  open: boolean;
}

/** A mutex for each key: work of one key runs one after the other, that of different keys side by side. */
export class KeyedMutex {
  readonly #latest = new Map<string, Promise<void>>();
  /** The work that is asking, or that started what is. */
  readonly #running = new AsyncLocalStorage<Running>();
  /** Which work waits for a turn that it asked for itself. */
  readonly #waits = new Set<{ key: string; for: string }>();
  readonly #refusal: (cycle: Cycle) => Error;

  /** `refusal` makes the error for work that would wait for itself. */
  constructor(refusal = (cycle: Cycle) => new Error(`this would wait for itself: ${cycle.join(" → ")}`)) {
    this.#refusal = refusal;
  }

  /**
   * Runs `work` when all that was given before it under the same key has settled, and settles like it. Work that
   * asks for a turn which waits, directly or through others, for that work is refused.
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

  /** Whether nothing that was given under this key is still to be done. */
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

  /** Makes `fn` part of the work that calls this, in whatever context it is called then. */
  partOf<T>(fn: () => T): () => T {
    const asking = this.#asking();
    return asking === undefined ? fn : () => this.#running.run(asking, fn);
  }

  /** Nothing once it has settled: nobody waits for it then. */
  #asking(): Running | undefined {
    const running = this.#running.getStore();
    return running?.open ? running : undefined;
  }

  /** The keys by which one waits for the other; since cycles are refused, it ends. */
  #waitPath(from: string, to: string): Cycle | undefined {
    if (from === to) return [to];
    for (const wait of this.#waits) {
      const rest = wait.key === from ? this.#waitPath(wait.for, to) : undefined;
      if (rest) return [from, ...rest];
    }
    return undefined;
  }
}
