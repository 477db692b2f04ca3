/** Makes Node's modules inert while services' modules are evaluated. */
import { inert } from "./inert.js";

type Callable = (...args: unknown[]) => unknown;

/** Results of inert functions where an inert value would be misunderstood. */
const ANSWERS: Record<string, () => unknown> = {
  existsSync: () => false,
  "node:timers setTimeout": idleTimer,
  "node:timers setInterval": idleTimer,
  "node:timers setImmediate": idleTimer,
};

/** A timer that never fires. */
export function idleTimer(): object {
  const timer = {
    ref: () => timer,
    unref: () => timer,
    refresh: () => timer,
    hasRef: () => false,
    close: () => timer,
    [Symbol.toPrimitive]: () => 0,
  };
  return timer;
}

/** Wraps a value so that its functions and classes do nothing while modules are evaluated. */
export function quiet(value: unknown, path: string, answer?: () => unknown): unknown {
  if (typeof value === "function") {
    return new Proxy(value as Callable, {
      apply: (target, self, args) => {
        if (!__reef.evaluating) return Reflect.apply(target, self, args);
        return answer ? answer() : inert(`${path}()`);
      },
      construct: (target, args, newTarget) =>
        __reef.evaluating ? inert(`${path}()`) : (Reflect.construct(target, args, newTarget) as object),
      get: (target, key) => nested(target, key, path),
    });
  }
  if (typeof value === "object" && value !== null) {
    return new Proxy(value, { get: (target, key) => nested(target, key, path) });
  }
  return value;
}

function nested(target: object, key: PropertyKey, path: string): unknown {
  const value: unknown = Reflect.get(target, key);
  const own = Reflect.getOwnPropertyDescriptor(target, key);
  // Proxies must return the actual value of non-configurable, read-only properties.
  const fixed = own && !own.configurable && !own.writable && !own.get;
  if (fixed || typeof key === "symbol" || key === "prototype" || typeof value !== "function") return value;
  const asynchronous = path.endsWith("promises");
  return quiet(
    bound(value as Callable, target),
    `${path}.${String(key)}`,
    asynchronous ? settled : ANSWERS[String(key)],
  );
}

/** Binds a method to its object: private members are not accessible through a proxy. */
function bound(fn: Callable, owner: object): Callable {
  return typeof owner === "function" ? fn : Object.assign(fn.bind(owner), fn);
}

const settled = () => Promise.resolve(inert("a file"));

/** One export of a Node module, inert while modules are evaluated; `undefined` if this Node lacks it. */
export function member(real: Record<string, unknown>, module: string, key: string): unknown {
  const value = real[key];
  const asynchronous = module.endsWith("/promises");
  const answer = asynchronous ? settled : (ANSWERS[`${module} ${key}`] ?? ANSWERS[key]);
  const path = `${module} ${key}`;
  if (typeof value === "function") return quiet(value, path, answer);
  // Other object exports, such as `constants`, contain no functions.
  if (key === "promises" || key === "default") return quiet(value, path);
  return value;
}
