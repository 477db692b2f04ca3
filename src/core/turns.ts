import { AsyncLocalStorage } from "node:async_hooks";

/** The keys from one back to itself. */
export type Circle = readonly string[];

/** Work that must not overlap takes turns: one after the other for each key, side by side for different ones. */
export class Turns {
  readonly #latest = new Map<string, Promise<void>>();
  /** The key under which the work runs that is asking. */
  readonly #running = new AsyncLocalStorage<string>();
  /** Which work waits for a turn that it asked for itself. */
  readonly #waits = new Set<{ key: string; for: string }>();
  readonly #refusal: (circle: Circle) => Error;

  /** `refusal` makes the error for work that would wait for itself. */
  constructor(refusal = (circle: Circle) => new Error(`this would wait for itself: ${circle.join(" → ")}`)) {
    this.#refusal = refusal;
  }

  /**
   * Runs `work` when all that was given before it under the same key has settled, and settles like it. Work that
   * asks for a turn which waits, directly or through others, for that work is refused.
   */
  take<T>(key: string, work: () => Promise<T>): Promise<T> {
    const asking = this.#running.getStore();
    if (asking === undefined) return this.#take(key, work);
    const way = this.#way(key, asking);
    if (way) return Promise.reject(this.#refusal([asking, ...way]));
    const wait = { key: asking, for: key };
    this.#waits.add(wait);
    return this.#take(key, work).finally(() => this.#waits.delete(wait));
  }

  #take<T>(key: string, work: () => Promise<T>): Promise<T> {
    const result = (this.#latest.get(key) ?? Promise.resolve()).then(() => this.#running.run(key, work));
    const over = () => {
      if (this.#latest.get(key) === settled) this.#latest.delete(key);
    };
    const settled = result.then(over, over);
    this.#latest.set(key, settled);
    return result;
  }

  /** Makes `fn` part of the work that calls this, in whatever context it is called then. */
  partOf<T>(fn: () => T): () => T {
    const key = this.#running.getStore();
    return key === undefined ? fn : () => this.#running.run(key, fn);
  }

  /** The keys by which one waits for the other; since circles are refused, it ends. */
  #way(from: string, to: string): Circle | undefined {
    if (from === to) return [to];
    for (const wait of this.#waits) {
      const rest = wait.key === from ? this.#way(wait.for, to) : undefined;
      if (rest) return [from, ...rest];
    }
    return undefined;
  }
}
