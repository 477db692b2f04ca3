/** Whether something happens too often: at most so many times within a stretch of time. */
export class Rate {
  #times: number[] = [];

  constructor(
    readonly most: number,
    readonly windowMs: number,
  ) {}

  /** Whether it may happen once more now; counts it if so. */
  allows(now: number): boolean {
    while (this.#times[0] !== undefined && this.#times[0] <= now - this.windowMs) this.#times.shift();
    return this.#times.length < this.most && this.#times.push(now) > 0;
  }
}
