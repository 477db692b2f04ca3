/** Work that must not overlap takes turns: one after the other for each key, side by side for different ones. */
export class Turns {
  readonly #latest = new Map<string, Promise<void>>();

  /**
   * Runs `work` when all that was given before it under the same key has settled, and settles like it. What waits
   * here, under a key, for more work under that key waits for ever.
   */
  take<T>(key: string, work: () => Promise<T>): Promise<T> {
    const result = (this.#latest.get(key) ?? Promise.resolve()).then(work);
    const over = () => {
      if (this.#latest.get(key) === settled) this.#latest.delete(key);
    };
    const settled = result.then(over, over);
    this.#latest.set(key, settled);
    return result;
  }
}
