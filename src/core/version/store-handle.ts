/** Handles of a service's store for other services, valid across reloads. */

import { ReefError } from "../errors.js";
import { isExchanging, isWorkOf } from "../generation/host-context.js";
import type { ContextHost, Peer } from "./context.js";

/**
 * Returns a function that looks up stores by service name. It returns the same handle each time, valid for as
 * long as the caller likes; undefined for a service that is not loaded or has no store.
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

/** A proxy for the store of the service's current version. */
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
      return (...args: unknown[]) =>
        runInService(owner, () => (current()[key] as Method)(...args), isAsync(value));
    },
    set: (_target, key, value) => {
      runInService(owner, () => {
        current()[key] = value;
      });
      return true;
    },
    deleteProperty: (_target, key) => runInService(owner, () => Reflect.deleteProperty(current(), key)),
    has: (_target, key) => key in current(),
    getPrototypeOf: () => Object.getPrototypeOf(current()),
    ownKeys: () => Reflect.ownKeys(current()),
    getOwnPropertyDescriptor: (_target, key) => {
      const own = Object.getOwnPropertyDescriptor(current(), key);
      // A proxy may not report a non-configurable property that its target lacks.
      return own && { ...own, configurable: true };
    },
  });
}

/** Whether a function is declared `async`. */
export const isAsync = (fn: unknown): boolean =>
  Object.prototype.toString.call(fn) === "[object AsyncFunction]";

/**
 * Runs `fn` on behalf of another service, in the context of the owner's version: what it opens is not closed
 * when the caller is reloaded, and a returned promise rejects if the version goes first. While the service is
 * exchanged, calls that `canWait` do; see `FlushWindow` for the others.
 */
export function runInService<T>(owner: () => Peer, fn: () => T, canWait = false): T {
  const peer = owner();
  const { module, scope } = peer;
  const { flushWindow, paused } = scope;
  // Work that the exchange waits for must not wait for the exchange.
  const isOwn = (paused ?? flushWindow) !== undefined && isWorkOf(scope);
  if (paused && canWait && !isOwn && !isExchanging(module.name)) {
    return paused.then(() => runInService(owner, fn, canWait)) as T;
  }
  if (flushWindow && !isOwn && !isExchanging(module.name, "start")) {
    if (flushWindow.refusesCalls)
      throw new ReefError("BUSY", `"${module.name}" is being reloaded; try again`);
    flushWindow.wasCalled = true;
  }
  const result = scope.handling.run(() => scope.run(fn));
  return result instanceof Promise ? (scope.outlive(result) as T) : result;
}
