/** Those who wait for what may never come. Once they are told that it will not, whoever comes later is told at once. */
export class Waiters {
  readonly #waiting = new Set<(error: Error) => void>();
  #given: Error | undefined;

  /** Has `reject` called when it is given up; returns how to leave before. */
  join(reject: (error: Error) => void): () => void {
    if (this.#given) reject(this.#given);
    else this.#waiting.add(reject);
    return () => this.#waiting.delete(reject);
  }

  get areOver(): boolean {
    return this.#given !== undefined;
  }

  /** Settles like `promise`, or rejects with what {@link giveUp} was given. */
  wait<T>(promise: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const leave = this.join(reject);
      promise.then(resolve, reject).finally(leave);
    });
  }

  /** Nobody needs to wait any more, now or later. */
  giveUp(error: Error): void {
    this.#given ??= error;
    for (const reject of this.#waiting) reject(error);
    this.#waiting.clear();
  }
}
