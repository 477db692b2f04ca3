/** Services that are being started, and the requests that wait for them. */
import { initializingService } from "../generation/host-context.js";
import type { Env } from "./serving.js";

type WaitsFor = (service: string) => boolean;

/** Knows which services may still appear while the server starts. */
export class PendingServices {
  readonly #byName = new Map<string, { known: Promise<void>; waitsFor: WaitsFor }>();
  readonly #roots = new Set<Promise<void>>();

  /**
   * Makes requests for `name` wait until `known` settles, unless a service of that name exists. If the service
   * may be mounted at the root, so do requests that no service answers. A request that a service makes during
   * its own start does not wait for itself, nor for a service that `waitsFor` it.
   */
  add(name: string, known: Promise<unknown>, maybeAtRoot: boolean, waitsFor: WaitsFor = () => false): void {
    const over = () => {
      if (this.#byName.get(name)?.known === settled) this.#byName.delete(name);
      this.#roots.delete(settled);
    };
    const settled = known.then(over, over);
    this.#byName.set(name, { known: settled, waitsFor });
    if (maybeAtRoot) this.#roots.add(settled);
  }

  /** Settles when it is known who answers to `name`; undefined when no such service is expected. */
  by(name: string, server: Env): Promise<void> | undefined {
    const expected = this.#byName.get(name);
    const starting = expected && server === undefined ? initializingService() : undefined;
    const isCircle = starting !== undefined && (starting === name || expected?.waitsFor(starting));
    return isCircle ? undefined : expected?.known;
  }

  /** Settles when the next service that may be mounted at the root is ready; undefined when none is expected. */
  nextRoot(server: Env): Promise<void> | undefined {
    // Requests made inside the process do not wait for root services.
    if (server === undefined || this.#roots.size === 0) return undefined;
    return Promise.race(this.#roots);
  }
}
