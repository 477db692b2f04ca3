import type { RemoteRun } from "./calls/remote.js";
import type { LoadedPlugin } from "./manifest.js";
import type { Permissions } from "./permissions/set.js";
import type { Worker } from "./pool/worker.js";

/** Something that a worker waits for. */
interface OpenRequest {
  /** The call on whose behalf; 0 for none. */
  parent: number;
  /** Whether it is a call of another method. */
  isCall: boolean;
  controller: AbortController;
}

/** What the broker knows about one worker: the calls in it and what it asked for. */
export class Session {
  readonly runs = new Map<number, RemoteRun>();
  worker: Worker | null = null;
  readonly #requests = new Map<number, OpenRequest>();
  /** How many requests it has ever made, and withdrawn. */
  #made = 0;
  #withdrawn = 0;

  constructor(
    readonly plugin: LoadedPlugin,
    readonly permissions: Permissions,
    readonly proxySocket: string | null,
    /** Writes a line about it into its plugin's log. */
    readonly note: (line: string) => void,
  ) {}

  /** Whether a request of this number is open. */
  isOpen(id: number): boolean {
    return this.#requests.has(id);
  }

  /** Takes a request down. Returns the signal of its withdrawal; null when `most` are open already. */
  open(id: number, parent: number, isCall: boolean, most: number): AbortSignal | null {
    this.#made++;
    if (this.#requests.size >= most) return null;
    const controller = new AbortController();
    this.#requests.set(id, { parent, isCall, controller });
    return controller.signal;
  }

  /** A request is answered. */
  close(id: number): void {
    this.#requests.delete(id);
  }

  /** The worker withdraws a request. Each can be once, also one that was answered a moment ago: false for more. */
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

  /** Withdraws what was asked for on behalf of a call. */
  withdrawNested(parent: number): void {
    for (const request of this.#requests.values()) if (request.parent === parent) request.controller.abort();
  }

  /** Withdraws everything. */
  end(): void {
    for (const request of this.#requests.values()) request.controller.abort();
  }
}
