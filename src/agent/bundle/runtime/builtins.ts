/** Node's modules without effect while the services' modules are evaluated. */
import { inert } from "./inert.js";

type Callable = (...args: unknown[]) => unknown;

/** What the harmless answer is where "nothing" would be misunderstood. */
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

/** `value` with functions that do nothing and classes that open nothing until the modules are evaluated. */
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
  // The language insists on the very value of a property that cannot change.
  const fixed = own && !own.configurable && !own.writable && !own.get;
  if (fixed || typeof key === "symbol" || key === "prototype" || typeof value !== "function") return value;
  const asynchronous = path.endsWith("promises");
  return quiet(
    bound(value as Callable, target),
    `${path}.${String(key)}`,
    asynchronous ? settled : ANSWERS[String(key)],
  );
}

/** Functions of objects with private parts must be called on them, never on a stand-in. */
function bound(fn: Callable, owner: object): Callable {
  return typeof owner === "function" ? fn : Object.assign(fn.bind(owner), fn);
}

const settled = () => Promise.resolve(inert("a file"));

/** One export of a Node module. `undefined` where this Node has none of that name. */
export function member(real: Record<string, unknown>, module: string, key: string): unknown {
  const value = real[key];
  const asynchronous = module.endsWith("/promises");
  const answer = asynchronous ? settled : (ANSWERS[`${module} ${key}`] ?? ANSWERS[key]);
  const path = `${module} ${key}`;
  if (typeof value === "function") return quiet(value, path, answer);
  // `constants` and the like hold no functions; `promises` holds nothing else.
  if (key === "promises" || key === "default") return quiet(value, path);
  return value;
}
