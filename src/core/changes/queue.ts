/** Which changes of what is running wait for which: two of them never race. */
import { inHost, initializingService } from "../generation/host-context.js";
import { KeyedMutex } from "../keyed-mutex.js";
import { initCycle } from "../load-failure.js";

export class ChangeQueue {
  #last: Promise<unknown> = Promise.resolve();
  readonly #folders = new KeyedMutex(initCycle);

  /** Whether what is asked for here waits for its turn, and may wait for starts: not from within an `init`. */
  get takesTurns(): boolean {
    return initializingService() === undefined;
  }

  /**
   * Runs one change after the other, in the host's context; a failed one does not stop the next. What an `init` asks
   * for is part of the change that runs it: waiting for its turn it would wait for itself.
   */
  run<T>(change: () => Promise<T>): Promise<T> {
    if (!this.takesTurns) return inHost(this.#folders.partOf(change));
    const result = this.#last.then(() => inHost(change));
    this.#last = result.catch(() => undefined);
    return result;
  }

  /**
   * Runs what makes a folder's service come or go, one after the other for each folder: the start of the server is not
   * in the queue, and its slow services may be asked for meanwhile. An `init` that asks for a change which waits for
   * that `init` is refused.
   */
  forFolder<T>(dirName: string, change: () => Promise<T>): Promise<T> {
    return this.#folders.runExclusive(dirName, change);
  }

  /** Whether nothing is under way that makes a folder's service come or go. */
  isFolderFree(dirName: string): boolean {
    return this.#folders.isFree(dirName);
  }
}
