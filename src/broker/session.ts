/** The state that the broker keeps about a worker. */
import type { RemoteRun } from "./calls/remote.js";
import type { LoadedPlugin } from "./manifest.js";
import type { Permissions } from "./permissions/set.js";
import type { Worker } from "./pool/worker.js";

/** An open request of a worker. */
interface OpenRequest {
  /** The call on whose behalf it was made; 0 for none. */
  parent: number;
  /** Whether it is a call of another method. */
  isCall: boolean;
  controller: AbortController;
}

/** The calls in one worker, and its open requests. */
export class Session {
  readonly runs = new Map<number, RemoteRun>();
  worker: Worker | null = null;
  readonly #requests = new Map<number, OpenRequest>();
  /** Total numbers of requests made and cancelled. */
  #made = 0;
  #withdrawn = 0;

  constructor(
    readonly plugin: LoadedPlugin,
    readonly permissions: Permissions,
    readonly proxySocket: string | null,
    /** Writes a line to the plugin's log. */
    readonly note: (line: string) => void,
  ) {}

  /** Whether a request with this number is open. */
  isOpen(id: number): boolean {
    return this.#requests.has(id);
  }

  /** Opens a request. Returns the signal of its cancellation; null when `most` requests are open already. */
  open(id: number, parent: number, isCall: boolean, most: number): AbortSignal | null {
    this.#made++;
    if (this.#requests.size >= most) return null;
    const controller = new AbortController();
    this.#requests.set(id, { parent, isCall, controller });
    return controller.signal;
  }

  /** Closes an answered request. */
  close(id: number): void {
    this.#requests.delete(id);
  }

  /**
   * Cancels a request. Each may be cancelled once, even shortly after it was answered; returns false for
   * surplus cancellations.
   */
  withdraw(id: number): boolean {
    if (++this.#withdrawn > this.#made) return false;
    this.#requests.get(id)?.controller.abort();
    return true;
  }

  /** Whether each of these calls waits for a call of its own. */
  areWaiting(calls: Iterable<number>): boolean {
    const waiting = new Set<number>();
    for (const { parent, isCall } of this.#requests.values()) if (isCall) waiting.add(parent);
    for (const id of calls) if (!waiting.has(id)) return false;
    return true;
  }

  /** Cancels the requests made on behalf of a call. */
  withdrawNested(parent: number): void {
    for (const request of this.#requests.values()) if (request.parent === parent) request.controller.abort();
  }

  /** Cancels all requests. */
  end(): void {
    for (const request of this.#requests.values()) request.controller.abort();
  }
}
