/** What a service's `init` receives. Everything taken from it belongs to one version and goes with it. */
import type { EventBus } from "./events.js";
import type { ServiceRegistry } from "./registry-types.js";
import type { Scope } from "./scope.js";
import type { Json, ServiceContext, ServiceModule } from "./types.js";

/** A running service, as far as others may look into it. */
export interface Peer {
  module: ServiceModule;
  scope: Scope;
  /** Whether the service's code can be exchanged while others hold on to it. */
  reloadable: boolean;
}

/** What contexts are made from. */
export interface ContextHost {
  events: EventBus;
  servicesDir: string;
  dataDir: string;
  peer(name: string): Peer | undefined;
  modules(): ServiceModule[];
  registryFor(service: string): ServiceRegistry;
  dispatch(request: Request, options?: { trusted?: boolean }): Promise<Response>;
  authenticate(request: Request): boolean;
}

export function createContext(scope: Scope, host: ContextHost): ServiceContext {
  const registry = host.registryFor(scope.service);
  return {
    name: scope.service,
    events: host.events.view(scope),
    log: scope.log,
    signal: scope.signal,
    servicesDir: host.servicesDir,
    dataDir: host.dataDir,
    registry,
    getStore: <T = Json>(name: string) => storeOf(name, host) as T | undefined,
    getModules: () => host.modules(),
    getModule: (name) => host.peer(name)?.module,
    loadModule: (dirName) => registry.load(dirName),
    unloadModule: (name) => registry.unload(name),
    onDispose: (fn) => {
      scope.own(fn);
    },
    setTimeout: (fn, ms) => scope.timer("timeout", fn, ms),
    setInterval: (fn, ms) => scope.timer("interval", fn, ms),
    dispatch: (request, options) => host.dispatch(request, options),
    authenticate: (request) => host.authenticate(request),
  };
}

function storeOf(name: string, host: ContextHost): unknown {
  const peer = host.peer(name);
  if (!peer?.module.store) return undefined;
  return peer.reloadable ? liveStore(name, host) : peer.module.store;
}

/**
 * A handle that always leads to the store of the service's current version. Methods run in the context of the
 * service that owns the store, so that what they open is not closed when the caller is reloaded.
 */
function liveStore(name: string, host: ContextHost): object {
  const current = () => {
    const peer = host.peer(name);
    if (!peer?.module.store) throw new Error(`service "${name}" is not loaded, or has no store any more`);
    return { store: peer.module.store as Record<PropertyKey, unknown>, scope: peer.scope };
  };
  return new Proxy(Object.create(null), {
    get: (_target, key) => {
      const { store } = current();
      const value = store[key];
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        const { store, scope } = current();
        return scope.run(() => (store[key] as (...args: unknown[]) => unknown)(...args));
      };
    },
    set: (_target, key, value) => {
      current().store[key] = value;
      return true;
    },
    has: (_target, key) => key in current().store,
    getPrototypeOf: () => Object.getPrototypeOf(current().store),
  });
}
