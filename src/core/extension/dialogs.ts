/** Tracks open dialogs at the terminal. */

/** The dialogs that a service has open at the terminal, which may take as long as people take. */
export class Dialogs {
  #open = 0;
  readonly #followers = new Set<() => void>();

  get areOpen(): boolean {
    return this.#open > 0;
  }

  /** Counts a dialog as open until `answer` settles. */
  readonly add = (answer: Promise<unknown>): void => {
    this.#change(1);
    const close = () => this.#change(-1);
    answer.then(close, close);
  };

  /** Calls `changed` whenever a dialog opens or closes. Returns the function that unsubscribes. */
  follow(changed: () => void): () => void {
    this.#followers.add(changed);
    return () => this.#followers.delete(changed);
  }

  #change(by: number): void {
    this.#open += by;
    for (const changed of this.#followers) changed();
  }
}
