/** A service's store as other services get it: whatever version serves. */

import { ReefError } from "../errors.js";
import { isExchanging, isWorkOf } from "../generation/host-context.js";
import type { ContextHost, Peer } from "./context.js";

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

type Members = Record<PropertyKey, unknown>;
type Method = (...args: unknown[]) => unknown;

/** A handle that always leads to the store of the service's current version. */
function liveStore(name: string, host: ContextHost): object {
  const owner = () => {
    const peer = host.peer(name);
    if (peer?.module.store) return peer;
    throw new Error(`service "${name}" is not loaded or no longer has a store`);
  };
  const current = () => owner().module.store as unknown as Members;
  return new Proxy(Object.create(null), {
    get: (_target, key) => {
      const value = current()[key];
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => reach(owner, () => (current()[key] as Method)(...args), isAsync(value));
    },
    set: (_target, key, value) => {
      reach(owner, () => {
        current()[key] = value;
      });
      return true;
    },
    deleteProperty: (_target, key) => reach(owner, () => Reflect.deleteProperty(current(), key)),
    has: (_target, key) => key in current(),
    getPrototypeOf: () => Object.getPrototypeOf(current()),
    ownKeys: () => Reflect.ownKeys(current()),
    getOwnPropertyDescriptor: (_target, key) => {
      const own = Object.getOwnPropertyDescriptor(current(), key);
      // A proxy may not say of what its own target lacks that it cannot be changed.
      return own && { ...own, configurable: true };
    },
  });
}

export const isAsync = (fn: unknown): boolean =>
  Object.prototype.toString.call(fn) === "[object AsyncFunction]";

/**
 * Does something with a service for somebody else, in the context of its version: what it opens is not closed when the
 * caller is reloaded, and a promise rejects when the version goes before. While the service is exchanged, what `canWait`
 * does; see `Handover` for the rest.
 */
export function reach<T>(owner: () => Peer, fn: () => T, canWait = false): T {
  const peer = owner();
  const { module, scope } = peer;
  const { handover, paused } = scope;
  // What the exchange waits for cannot wait for it.
  const isOwn = (paused ?? handover) !== undefined && isWorkOf(scope);
  if (paused && canWait && !isOwn && !isExchanging(module.name)) {
    return paused.then(() => reach(owner, fn, canWait)) as T;
  }
  if (handover && !isOwn && !isExchanging(module.name, "start")) {
    if (handover.isClosed) throw new ReefError("BUSY", `"${module.name}" is being reloaded; try again`);
    handover.wasUsed = true;
  }
  const result = scope.handling.run(() => scope.run(fn));
  return result instanceof Promise ? (scope.outlive(result) as T) : result;
}
