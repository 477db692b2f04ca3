/** Whose code runs: what a service starts and forgets fails on the service's account, and never ends the agent. */
import { Dialogs } from "./dialogs.js";
import { ownerContext, type Report, runInside, runOutside } from "./owner-context.js";

type Callback = (this: unknown, ...args: unknown[]) => unknown;
type Watch = (promise: Promise<unknown>) => void;

/**
 * Node still knows the context of what failed when it tells its listeners, Bun for exceptions only: there a graph, where
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
  /** By the agent's own: whoever asks twice is given the same. */
  readonly #signals = new WeakMap<AbortSignal, AbortSignal>();

  /** @param report Told what the service's code left unattended. */
  constructor(private readonly report: Report) {
    this.#graph = graphFor(report);
  }

  /** Runs `fn`, and whatever it starts, on this service's account. */
  run<T>(fn: () => T): T {
    const context = ownerContext(this.report);
    const enter = () => runInside(context, fn);
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
          const wrapped = args.map((arg) => this.#wrap(arg));
          const result: unknown = runOutside(() => Reflect.apply(value, target, wrapped));
          if (result instanceof Promise) watch?.(result);
          return result;
        };
      },
    });
  }

  /** A signal that is aborted when `signal` is, and whose listeners run on this service's account. */
  signal(signal: AbortSignal): AbortSignal {
    const known = this.#signals.get(signal);
    if (known) return known;
    const own = new AbortController();
    const abort = () => this.run(() => own.abort(signal.reason));
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
    this.#signals.set(signal, own.signal);
    return own.signal;
  }

  /** A callback, or an object with callbacks, as it is handed to the agent. */
  #wrap(value: unknown): unknown {
    if (typeof value === "function") return this.#wrapFunction(value as Callback);
    if (!isPlain(value) || !Object.values(value).some((part) => typeof part === "function")) return value;
    const parts = Object.entries(value).map(([key, part]) => [
      key,
      typeof part === "function" ? this.#wrapFunction(part as Callback) : part,
    ]);
    return Object.fromEntries(parts);
  }

  #wrapFunction(callback: Callback): Callback {
    const owner = this;
    return function (...args) {
      const given = args.map((arg) => (isContext(arg) ? contextFor(owner, arg) : arg));
      return owner.run(() => callback.apply(this, given));
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
    get signal() {
      return signalFor(owner, ctx);
    },
  };
  return owner.view(ctx, own);
}

/** What a service is given instead of the event that pi gives to handlers. */
export function eventFor(owner: Owner, event: unknown): unknown {
  const signal = signalFor(owner, event);
  return signal ? owner.view(event as object, { signal }) : event;
}

/** The service's own of the signal that `source` has, if it has one. */
function signalFor(owner: Owner, source: unknown): AbortSignal | undefined {
  const signal = signalOf(source);
  return signal && owner.signal(signal);
}

export function signalOf(source: unknown): AbortSignal | undefined {
  const signal = (source as { signal?: unknown } | null | undefined)?.signal;
  return signal instanceof AbortSignal ? signal : undefined;
}

/** Commands, shortcuts and whatever else calls back are given contexts, too. */
function isContext(value: unknown): boolean {
  return typeof value === "object" && value !== null && "hasUI" in value;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
