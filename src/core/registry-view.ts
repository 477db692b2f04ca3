/** What services see of the registry. */
import { AsyncLocalStorage } from "node:async_hooks";
import type { EventBus } from "./events.js";
import { changeFolder } from "./folder-change.js";
import { LoadFailure } from "./load-failure.js";
import type { LogBook } from "./log.js";
import { getService, listServices, locate, servedFrom } from "./lookup.js";
import type { Registry } from "./registry.js";
import type { ServiceRegistry } from "./registry-types.js";
import { rollBack } from "./rollback.js";
import { syncFolders } from "./sync.js";
import type { ServiceModule } from "./types.js";

/** The registry as the service `caller` sees it. Changes wait for their turn. */
export function registryView(
  registry: Registry,
  { events, logs }: { events: EventBus; logs: LogBook },
  caller?: string,
): ServiceRegistry {
  return {
    list: () => listServices(registry, events),
    get: (name) => getService(registry, events, name),
    failures: () => registry.failures.list(),
    logs: (name) => logs.lines(name),
    run: (name, fn) => run(registry, name, fn),
    versions: (name) => registry.snapshots?.list(registry.folderOf(name)) ?? [],
    locate: (name) => locate(registry, name),
    servedFrom: (name) => servedFrom(registry, name),
    check: (dirName) => registry.enqueue(() => registry.check(dirName)),
    load: (dirName, options = {}) => {
      // The verification is the caller's code and runs in the caller's context.
      const verify = options.verify && AsyncLocalStorage.bind(options.verify.bind(options));
      return registry.enqueue(() => registry.load(dirName, caller, { ...options, verify }));
    },
    reload: (name) => registry.enqueue(() => registry.load(registry.folderOf(name), caller)),
    sync: () => registry.enqueue(() => syncFolders(registry, caller)),
    unload: (name, options) => registry.enqueue(() => registry.unload(name, options?.force ?? false, caller)),
    disable: (name, options) => registry.enqueue(() => registry.disable(name, options, caller)),
    enable: (name) => registry.enqueue(() => registry.enable(name)),
    rollback: (name, digest) => registry.enqueue(() => rollBack(registry, name, digest, caller)),
    changeFolder: (dirName, change, options) =>
      registry.enqueue(() => changeFolder(registry, dirName, change, options?.force ?? false, caller)),
  };
}

/** Runs a function on a service's module, in the service's own context. */
function run<T>(registry: Registry, name: string, fn: (module: ServiceModule) => T): T {
  const peer = registry.peer(name);
  if (!peer) throw new LoadFailure("UNKNOWN", "find", `no service is called "${name}".`);
  const result = peer.scope.run(fn, peer.module);
  return result instanceof Promise ? (peer.scope.outlive(result) as T) : result;
}
