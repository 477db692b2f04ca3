/** Those who wait for what may never come. Once they are told that it will not, whoever comes later is told at once. */
export class Waiters {
  readonly #waiting = new Set<(error: Error) => void>();
  #given: Error | undefined;

  /** Settles like `promise`, or rejects with what {@link giveUp} was given. */
  wait<T>(promise: Promise<T>): Promise<T> {
    if (this.#given) return Promise.reject(this.#given);
    return new Promise<T>((resolve, reject) => {
      this.#waiting.add(reject);
      promise.then(
        (value) => {
          this.#waiting.delete(reject);
          resolve(value);
        },
        (error) => {
          this.#waiting.delete(reject);
          reject(error);
        },
      );
    });
  }

  /** Nobody needs to wait any more, now or later. */
  giveUp(error: Error): void {
    this.#given ??= error;
    for (const reject of this.#waiting) reject(error);
    this.#waiting.clear();
  }
}
