/** A service's store as other services get it: whatever version serves. */
import type { ContextHost } from "./context.js";
import { ReefError } from "./errors.js";

/** The store of a service, to be kept for as long as one likes; undefined when it is not loaded or has none. */
export function storeOf(name: string, host: ContextHost): unknown {
  const peer = host.peer(name);
  if (!peer?.module.store) return undefined;
  return peer.reloadable ? liveStore(name, host) : peer.module.store;
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
  });
}

const isAsync = (value: unknown) => Object.prototype.toString.call(value) === "[object AsyncFunction]";
