/**
 * The context that a service's `init` receives. Everything obtained from it belongs to one version and ends
 * with it.
 */

import type { EventBus } from "../events.js";
import { storeHandles } from "../lazy.js";
import type { ServiceRegistry } from "../registry-types.js";
import type { Scope } from "../scope.js";
import type { Json, ServiceContext, ServiceModule } from "../types.js";

/** A running service, as other services may use it. */
export interface Peer {
  module: ServiceModule;
  scope: Scope;
  /** Whether the service can be exchanged while others hold references to it. */
  reloadable: boolean;
}

/** What the registry provides to contexts. */
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

/** Creates the context of one version. */
export function createContext(scope: Scope, host: ContextHost): ServiceContext {
  let registry: ServiceRegistry | undefined;
  let store: ((name: string) => unknown) | undefined;
  const context: ServiceContext = {
    name: scope.service,
    events: host.events.view(scope),
    log: scope.log,
    signal: scope.signal,
    servicesDir: host.servicesDir,
    dataDir: host.dataDir,
    get registry() {
      registry ??= host.registryFor(scope.service);
      return registry;
    },
    getStore: <T = Json>(name: string) => {
      store ??= storeHandles().storesOf(host);
      return store(name) as T | undefined;
    },
    getModules: () => host.modules(),
    getModule: (name) => host.peer(name)?.module,
    loadModule: (dirName) => context.registry.load(dirName),
    unloadModule: (name) => context.registry.unload(name),
    onDispose: (fn) => {
      scope.own(fn);
    },
    setTimeout: (fn, ms) => scope.timer("timeout", fn, ms),
    setInterval: (fn, ms) => scope.timer("interval", fn, ms),
    dispatch: (request, options) => host.dispatch(request, options),
    authenticate: (request) => host.authenticate(request),
  };
  return context;
}
