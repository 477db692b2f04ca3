/** Whose code runs: what a service starts and forgets fails on the service's account, and never ends the agent. */
import { AsyncLocalStorage, AsyncResource } from "node:async_hooks";
import { Dialogs } from "./dialogs.js";

type Callback = (this: unknown, ...args: unknown[]) => unknown;
type Report = (error: unknown) => void;
type Watch = (promise: Promise<unknown>) => void;

/** Where a service's code runs, and the place it was called from. */
interface Place {
  report: Report;
  caller: AsyncResource;
}

const places = new AsyncLocalStorage<Place>();

/**
 * Node still knows the place of what failed when it tells its listeners, Bun for exceptions only: there a graph, where
 * this Bun has them, is told of both.
 */
function graphFor(report: Report) {
  if (process.versions.bun === undefined) return undefined;
  const { ModuleGraph } = Bun as Partial<typeof Bun>;
  return ModuleGraph && new ModuleGraph({ onError: (error) => report(error) });
}

/** One service in an agent. */
export class Owner {
  /** What it asks the person at the terminal, through whichever context. */
  readonly dialogs = new Dialogs();
  readonly #graph: ReturnType<typeof graphFor>;

  /** @param report Told what the service's code left unattended. */
  constructor(private readonly report: Report) {
    this.#graph = graphFor(report);
  }

  /** Runs `fn`, and whatever it starts, on this service's account. */
  run<T>(fn: () => T): T {
    const place: Place = { report: this.report, caller: new AsyncResource("reef") };
    const enter = () => places.run(place, fn);
    return this.#graph ? this.#graph.run(enter) : enter();
  }

  /**
   * What the service is given instead of one of the agent's objects: functions run on the agent's account, and what
   * they call back on the service's. `own` holds what is another altogether.
   *
   * @param watch Told of each promise that a function returns.
   */
  view<T extends object>(object: T, own: object = {}, watch?: Watch): T {
    return new Proxy(object, {
      get: (target, key) => {
        if (Object.hasOwn(own, key)) return Reflect.get(own, key) as unknown;
        const value: unknown = Reflect.get(target, key);
        if (typeof value !== "function") return value;
        return (...args: unknown[]) => {
          const lent = args.map((arg) => this.#lent(arg));
          const result: unknown = outside(() => Reflect.apply(value, target, lent));
          if (result instanceof Promise) watch?.(result);
          return result;
        };
      },
    });
  }

  /** A callback, or an object with callbacks, as it is handed to the agent. */
  #lent(value: unknown): unknown {
    if (typeof value === "function") return this.#lentFunction(value as Callback);
    if (!isPlain(value) || !Object.values(value).some((part) => typeof part === "function")) return value;
    const parts = Object.entries(value).map(([key, part]) => [
      key,
      typeof part === "function" ? this.#lentFunction(part as Callback) : part,
    ]);
    return Object.fromEntries(parts);
  }

  #lentFunction(callback: Callback): Callback {
    const run = <T>(fn: () => T) => this.run(fn);
    return function (...args) {
      return run(() => callback.apply(this, args));
    };
  }
}

/** What a service is given instead of the context that pi gives to handlers and tools. */
export function contextFor(owner: Owner, ctx: unknown): unknown {
  if (typeof ctx !== "object" || ctx === null) return ctx;
  const own = {
    // Read when it is asked for: the context of a session that is over throws.
    get ui() {
      const { ui } = ctx as { ui?: object };
      return ui && owner.view(ui, {}, owner.dialogs.add);
    },
  };
  return owner.view(ctx, own);
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

/** Runs `fn` on the account of whoever called the service that runs; errors of the agent stay its own. */
export function outside<T>(fn: () => T): T {
  const place = places.getStore();
  return place ? place.caller.runInAsyncScope(fn) : fn();
}

/** Tells the service on whose account this runs; false when it is none's. */
export function reportToOwner(error: unknown): boolean {
  const place = places.getStore();
  place?.report(error);
  return place !== undefined;
}
