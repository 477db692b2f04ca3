/** Stand-ins for server-only modules: harmless while modules are evaluated, descriptive errors afterwards. */
import type {} from "./state.js";

class ServerHalfError extends Error {
  override name = "ServerHalfError";
}

/** The proxy target: only functions can be called, constructed and extended. */
function callable(): undefined {
  return undefined;
}

function refuse(path: string): never {
  throw new ServerHalfError(
    `"${path}" belongs to the server side of a service and is not available in an agent`,
  );
}

/**
 * A value that can be called, constructed, extended, read and iterated without effect while modules are
 * evaluated.
 */
export function inert(path: string): object {
  const child = (step: string) => inert(path + step);
  return new Proxy(callable, {
    get(_target, key) {
      // Not a thenable: awaiting a stand-in must not hang.
      if (key === "then") return undefined;
      if (!__reef.evaluating) return typeof key === "symbol" ? undefined : refuse(`${path}.${key}`);
      if (key === Symbol.iterator) return () => [][Symbol.iterator]();
      if (key === Symbol.toPrimitive) return () => "";
      if (key === "toJSON") return () => null;
      return typeof key === "symbol" ? undefined : child(`.${key}`);
    },
    set: (_target, key) => (__reef.evaluating ? true : refuse(`${path}.${String(key)}`)),
    has: () => __reef.evaluating,
    deleteProperty: () => true,
    defineProperty: () => true,
    apply: () => (__reef.evaluating ? child("()") : refuse(`${path}()`)),
    construct: () => (__reef.evaluating ? child("()") : refuse(`new ${path}()`)),
  });
}

/**
 * A CommonJS module whose every export is inert. Importers copy a module's own keys and look up others in its
 * prototype, where the exports are.
 */
export function inertModule(name: string): object {
  const exports = inert(name);
  return new Proxy(Object.create(null), {
    getPrototypeOf: () => exports,
    get: (_target, key) => Reflect.get(exports, key),
  });
}
