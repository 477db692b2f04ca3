/** What a service asks the person at the terminal: people take the time they take. */
export class Dialogs {
  #open = 0;
  readonly #followers = new Set<() => void>();

  get areOpen(): boolean {
    return this.#open > 0;
  }

  /** One is open until `answer` settles. */
  readonly add = (answer: Promise<unknown>): void => {
    this.#change(1);
    const close = () => this.#change(-1);
    answer.then(close, close);
  };

  /** Calls `changed` whenever one opens or closes; returns the function that ends that. */
  follow(changed: () => void): () => void {
    this.#followers.add(changed);
    return () => this.#followers.delete(changed);
  }

  #change(by: number): void {
    this.#open += by;
    for (const changed of this.#followers) changed();
  }
}
