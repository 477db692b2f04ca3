/** The globals of services' client halves: inert while modules are evaluated, guarded afterwards. */
import { idleTimer, quiet } from "./builtins.js";
import { inert } from "./inert.js";

type Callback = (...args: unknown[]) => unknown;
type Timer = ReturnType<typeof setTimeout>;

const { real } = __reef;

/** Wraps a callback so that its errors are reported instead of ending the agent. */
function contained(where: string, fn: unknown): Callback {
  if (typeof fn !== "function") throw new TypeError(`${where} requires a function`);
  return (...args) => {
    try {
      const result: unknown = (fn as Callback)(...args);
      if (result instanceof Promise) result.catch((error) => __reef.report(where, error));
    } catch (error) {
      __reef.report(where, error);
    }
  };
}

function timer(name: "setTimeout" | "setInterval") {
  return (fn: unknown, ms?: number, ...args: unknown[]): unknown => {
    if (__reef.evaluating) return idleTimer();
    const handle = real[name](contained(name, fn), ms, ...args) as Timer;
    // Services' timers must not keep the agent's process alive.
    handle.unref();
    return handle;
  };
}

const REFUSED = new Set(["exit", "abort", "reallyExit", "chdir"]);
const QUIET = new Set([
  "on",
  "once",
  "addListener",
  "prependListener",
  "prependOnceListener",
  "off",
  "removeListener",
  "removeAllListeners",
  "emit",
  "kill",
  "send",
  "disconnect",
  "dlopen",
  "binding",
  "setUncaughtExceptionCaptureCallback",
  "getBuiltinModule",
  "emitWarning",
  "umask",
  "setuid",
  "setgid",
]);
const HANDLES = new Set(["stdin", "stdout", "stderr", "channel"]);

/**
 * A proxy of `realObject` with other accessors. Its target is an empty object, because a proxy must return the
 * actual values of the target's fixed properties.
 */
function view(realObject: object, handler: Pick<ProxyHandler<object>, "get" | "set">): object {
  return new Proxy(Object.create(Object.getPrototypeOf(realObject) as object | null), {
    has: (_target, key) => Reflect.has(realObject, key),
    ...handler,
  });
}

const quietProcess = view(real.process, {
  get(_target, key) {
    const target = real.process;
    const name = String(key);
    if (REFUSED.has(name)) {
      return () => {
        if (__reef.evaluating) return inert(`process.${name}()`);
        throw new Error(`process.${name}() is not available to a service: it would affect the whole agent`);
      };
    }
    if (name === "nextTick") {
      return (fn: unknown, ...args: unknown[]) => {
        if (!__reef.evaluating) target.nextTick(contained("process.nextTick", fn), ...args);
      };
    }
    if (HANDLES.has(name) && __reef.evaluating) return inert(`process.${name}`);
    const value: unknown = Reflect.get(target, key);
    if (QUIET.has(name)) return quiet((value as Callback | undefined)?.bind(target), `process.${name}`);
    return typeof value === "function" && name !== "hrtime" ? value.bind(target) : value;
  },
  set: (_target, key, value) => (__reef.evaluating ? true : Reflect.set(real.process, key, value)),
});

/** `Bun` with a working `env`, which is safe to read on Node and Bun. */
const quietBun = new Proxy(inert("Bun"), {
  get(target, key) {
    if (key === "env") return real.process.env;
    if (__reef.evaluating || !real.Bun) return Reflect.get(target, key);
    return Reflect.get(real.Bun, key);
  },
});

const shims: Record<string, unknown> = {
  setTimeout: timer("setTimeout"),
  setInterval: timer("setInterval"),
  setImmediate: (fn: unknown, ...args: unknown[]) =>
    __reef.evaluating ? idleTimer() : real.setImmediate(contained("setImmediate", fn), ...args),
  queueMicrotask: (fn: unknown) => {
    if (!__reef.evaluating) real.queueMicrotask(contained("queueMicrotask", fn) as () => void);
  },
  fetch: (...args: Parameters<typeof fetch>) =>
    __reef.evaluating ? Promise.resolve(inert("fetch()")) : real.fetch(...args),
  process: quietProcess,
  Bun: quietBun,
};

for (const name of ["WebSocket", "EventSource", "Worker", "BroadcastChannel"] as const) {
  const value = (real as unknown as Record<string, unknown>)[name];
  shims[name] = value === undefined ? inert(name) : quiet(value, name);
}

const quietConsole = view(real.console, {
  get: (_target, key) => {
    const target = real.console;
    const value: unknown = Reflect.get(target, key);
    // Standard output belongs to the agent's answers.
    if (typeof value === "function" && __reef.evaluating) return () => undefined;
    return key === "log" || key === "info" || key === "debug" ? target.error.bind(target) : value;
  },
});
shims.console = quietConsole;

/** `globalThis` with the same shims; assignments by services stay local to the bundle. */
const quietGlobal: object = view(real, {
  get: (_target, key) => {
    if (key === "globalThis" || key === "global") return quietGlobal;
    return Object.hasOwn(shims, key) ? shims[String(key)] : Reflect.get(real, key);
  },
  set: (_target, key, value) => {
    if (Object.hasOwn(shims, key)) shims[String(key)] = value;
    else Reflect.set(real, key, value);
    return true;
  },
});
shims.globalThis = quietGlobal;
shims.global = quietGlobal;

/** The names that the bundler redirects to this file. */
export const SHIMMED = Object.keys(shims);

/** Installs the shims in the bundle's state. */
export function installShims(): void {
  Object.assign(__reef, shims);
}
