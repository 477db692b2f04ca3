/** What services see of the registry. */
import { AsyncLocalStorage } from "node:async_hooks";
import type { EventBus } from "./events.js";
import { changeFolder } from "./folder-change.js";
import { LoadFailure } from "./load-failure.js";
import type { LogBook } from "./log.js";
import { getService, listServices, locate, servedFrom } from "./lookup.js";
import type { Registry } from "./registry.js";
import type { ServiceRegistry } from "./registry-types.js";
import { disable, enable, unload } from "./removal.js";
import { rollBack } from "./rollback.js";
import { syncFolders } from "./sync.js";
import type { ServiceModule } from "./types.js";

/** The registry as the service `caller` sees it. Changes wait for their turn. */
export function registryView(
  registry: Registry,
  { events, logs }: { events: EventBus; logs: LogBook },
  caller?: string,
): ServiceRegistry {
  /** A change of one service, given its name or its folder's. One that is being started is there first. */
  const enqueue = <T>(name: string, change: () => Promise<T>) =>
    registry.enqueue(async (mayWait) => {
      if (mayWait) await registry.starts.over(name);
      return change();
    });
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
      return enqueue(dirName, () => registry.load(dirName, caller, { ...options, verify }));
    },
    reload: (name) => enqueue(name, () => registry.load(registry.folderOf(name), caller)),
    sync: () => registry.enqueue((mayWait) => syncFolders(registry, mayWait, caller)),
    unload: (name, options) => enqueue(name, () => unload(registry, name, { force: options?.force }, caller)),
    disable: (name, options) => enqueue(name, () => disable(registry, name, options, caller)),
    enable: (name) => enqueue(name, () => enable(registry, name)),
    rollback: (name, digest) => enqueue(name, () => rollBack(registry, name, digest, caller)),
    changeFolder: (dirName, change, options) =>
      enqueue(dirName, () => changeFolder(registry, dirName, change, options?.force ?? false, caller)),
  };
}

/** Runs a function on a service's module, in the service's own context. */
function run<T>(registry: Registry, name: string, fn: (module: ServiceModule) => T): T {
  const peer = registry.peer(name);
  if (!peer) throw new LoadFailure("UNKNOWN", "find", `no service is called "${name}".`);
  const result = peer.scope.run(fn, peer.module);
  return result instanceof Promise ? (peer.scope.outlive(result) as T) : result;
}
