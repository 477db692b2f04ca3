/** The queue that serialises changes to running services. */
import { inHost, initializingService } from "../generation/host-context.js";
import { KeyedMutex } from "../keyed-mutex.js";
import { initCycle } from "../load-failure.js";

/** Runs changes one at a time. */
export class ChangeQueue {
  #last: Promise<unknown> = Promise.resolve();
  readonly #folders = new KeyedMutex(initCycle);

  /** Whether a change requested here queues, and may wait for starts. False inside an `init`. */
  get takesTurns(): boolean {
    return initializingService() === undefined;
  }

  /**
   * Runs a change in the host's context after all earlier ones; a failed change does not stop the next. A
   * change requested by an `init` is part of the change that runs the `init`: queueing would make it wait for
   * itself.
   */
  run<T>(change: () => Promise<T>): Promise<T> {
    if (!this.takesTurns) return inHost(this.#folders.partOf(change));
    const result = this.#last.then(() => inHost(change));
    this.#last = result.catch(() => undefined);
    return result;
  }

  /**
   * Serialises operations that add or remove a folder's service. The server's own start does not use the queue,
   * and its slow services may be requested meanwhile. Rejects a change by an `init` that waits for that `init`.
   */
  forFolder<T>(dirName: string, change: () => Promise<T>): Promise<T> {
    return this.#folders.runExclusive(dirName, change);
  }

  /** Whether no such operation is in progress for a folder. */
  isFolderFree(dirName: string): boolean {
    return this.#folders.isFree(dirName);
  }
}
