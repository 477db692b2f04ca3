import type { LoadedPlugin } from "./manifest.js";
import type { Permissions } from "./permissions/set.js";
import type { Worker } from "./pool/worker.js";
import type { RemoteRun } from "./remote.js";

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
  readonly requests = new Map<number, OpenRequest>();
  worker: Worker | null = null;

  constructor(
    readonly plugin: LoadedPlugin,
    readonly permissions: Permissions,
    readonly proxySocket: string | null,
    /** Writes a line about it into its plugin's log. */
    readonly note: (line: string) => void,
  ) {}

  /** Withdraws what was asked for on behalf of a call. */
  withdrawNested(parent: number): void {
    for (const request of this.requests.values()) if (request.parent === parent) request.controller.abort();
  }

  /** Withdraws everything. */
  end(): void {
    for (const request of this.requests.values()) request.controller.abort();
  }
}
