/** Services that are on their way while the server starts, and how long requests wait for them. */
import { initializingService } from "../generation/host-context.js";
import type { Env } from "./serving.js";

type WaitsFor = (service: string) => boolean;

export class PendingServices {
  readonly #byName = new Map<string, { known: Promise<void>; waitsFor: WaitsFor }>();
  readonly #roots = new Set<Promise<void>>();

  /**
   * Requests for `name` wait until `known` settles, if it is nobody's yet. Where the service may be mounted at the root,
   * so do all others that nobody answers. What a service asks while it starts does not wait for itself, nor for one that
   * `waitsFor` its start.
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

  /** Settles when it is known who answers to a name that nobody answers to yet, if a service of that name may come. */
  by(name: string, server: Env): Promise<void> | undefined {
    const expected = this.#byName.get(name);
    const starting = expected && server === undefined ? initializingService() : undefined;
    const isCircle = starting !== undefined && (starting === name || expected?.waitsFor(starting));
    return isCircle ? undefined : expected?.known;
  }

  /** Settles when the next service has come that may be mounted at the root, if there is one to come. */
  nextRoot(server: Env): Promise<void> | undefined {
    // What is asked inside the process is the same, whoever is mounted there.
    if (server === undefined || this.#roots.size === 0) return undefined;
    return Promise.race(this.#roots);
  }
}
