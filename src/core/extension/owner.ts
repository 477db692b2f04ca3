/**
 * Attributes a service's code to the service, so that its unhandled errors are reported under its name and do
 * not end the agent.
 */
import { Dialogs } from "./dialogs.js";
import { ownerContext, type Report, runInside, runOutside } from "./owner-context.js";

type Callback = (this: unknown, ...args: unknown[]) => unknown;
type Watch = (promise: Promise<unknown>) => void;

/**
 * On Node, async context is available in the process's error events; on Bun only for exceptions. There a module
 * graph, if this Bun has them, receives both.
 */
function graphFor(report: Report) {
  if (process.versions.bun === undefined) return undefined;
  const { ModuleGraph } = Bun as Partial<typeof Bun>;
  return ModuleGraph && new ModuleGraph({ onError: (error) => report(error) });
}

/** One service in an agent. */
export class Owner {
  /** The dialogs that the service has open, through any context. */
  readonly dialogs = new Dialogs();
  readonly #graph: ReturnType<typeof graphFor>;
  /** By the agent's signal, so that the same signal maps to the same object. */
  readonly #signals = new WeakMap<AbortSignal, AbortSignal>();

  /** @param report Receives unhandled errors of the service's code. */
  constructor(private readonly report: Report) {
    this.#graph = graphFor(report);
  }

  /** Runs `fn`, and everything it starts, as this service's code. */
  run<T>(fn: () => T): T {
    const context = ownerContext(this.report);
    const enter = () => runInside(context, fn);
    return this.#graph ? this.#graph.run(enter) : enter();
  }

  /**
   * Wraps one of the agent's objects for the service: its functions run as the agent's code, and their
   * callbacks as the service's. `own` overrides members.
   *
   * @param watch Receives each promise that a function returns.
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

  /** A signal that follows `signal`, and whose listeners run as the service's code. */
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

  /** Wraps a callback, or an object with callbacks, before it is passed to the agent. */
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

/** Wraps the context that pi passes to handlers and tools. */
export function contextFor(owner: Owner, ctx: unknown): unknown {
  if (typeof ctx !== "object" || ctx === null) return ctx;
  const own = {
    // Read lazily: the context of a session that is over throws.
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

/** Wraps the event that pi passes to handlers. */
export function eventFor(owner: Owner, event: unknown): unknown {
  const signal = signalFor(owner, event);
  return signal ? owner.view(event as object, { signal }) : event;
}

/** The service's own version of the signal in `source`, if there is one. */
function signalFor(owner: Owner, source: unknown): AbortSignal | undefined {
  const signal = signalOf(source);
  return signal && owner.signal(signal);
}

/** The signal of an event or context, if it has one. */
export function signalOf(source: unknown): AbortSignal | undefined {
  const signal = (source as { signal?: unknown } | null | undefined)?.signal;
  return signal instanceof AbortSignal ? signal : undefined;
}

/** Whether an argument of a callback is a context, as for commands and shortcuts. */
function isContext(value: unknown): boolean {
  return typeof value === "object" && value !== null && "hasUI" in value;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
