/** A service's store as other services get it: whatever version serves. */
import type { ContextHost } from "./context.js";
import { ReefError } from "./errors.js";

/**
 * Gives the stores of services by their names, to be kept for as long as one likes: the same object each time.
 * Undefined for a service that is not loaded or has none.
 */
export function storesOf(host: ContextHost): (name: string) => unknown {
  let handles: Map<string, object> | undefined;
  return (name) => {
    const peer = host.peer(name);
    if (!peer?.module.store) return undefined;
    if (!peer.reloadable) return peer.module.store;
    handles ??= new Map();
    const handle = handles.get(name) ?? liveStore(name, host);
    handles.set(name, handle);
    return handle;
  };
}

/**
 * A handle that always leads to the store of the service's current version. Methods run in the context of the
 * service that owns the store, so that what they open is not closed when the caller is reloaded. While the store is
 * handed over to the next version, asynchronous methods wait for that; see `Handover` for the others.
 */
function liveStore(name: string, host: ContextHost): object {
  const current = () => {
    const peer = host.peer(name);
    if (!peer?.module.store) throw new Error(`service "${name}" is not loaded, or has no store any more`);
    return { store: peer.module.store as Record<PropertyKey, unknown>, scope: peer.scope };
  };
  const call = (key: PropertyKey, args: unknown[]): unknown => {
    const { store, scope } = current();
    const { handover } = scope;
    if (handover && isAsync(store[key])) return handover.over.then(() => call(key, args));
    if (handover?.isClosed) throw new ReefError("BUSY", `"${name}" is being exchanged; try again`);
    if (handover) handover.wasUsed = true;
    const run = () => scope.run(() => (store[key] as (...args: unknown[]) => unknown)(...args));
    return scope.handling.run(run);
  };
  return new Proxy(Object.create(null), {
    get: (_target, key) => {
      const value = current().store[key];
      return typeof value === "function" ? (...args: unknown[]) => call(key, args) : value;
    },
    set: (_target, key, value) => {
      current().store[key] = value;
      return true;
    },
    has: (_target, key) => key in current().store,
    getPrototypeOf: () => Object.getPrototypeOf(current().store),
    ownKeys: () => Reflect.ownKeys(current().store),
    getOwnPropertyDescriptor: (_target, key) => {
      const own = Object.getOwnPropertyDescriptor(current().store, key);
      // A proxy may not say of what its own target lacks that it cannot be changed.
      return own && { ...own, configurable: true };
    },
  });
}

const isAsync = (value: unknown) => Object.prototype.toString.call(value) === "[object AsyncFunction]";
