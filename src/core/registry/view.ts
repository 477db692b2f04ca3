/** The registry as services see it. */
import { AsyncLocalStorage } from "node:async_hooks";
import type { Trial } from "../checker/trials.js";
import type { EventBus } from "../events.js";
import { awaitingChange, inHost } from "../generation/host-context.js";
import { changes } from "../lazy.js";
import { LoadFailure } from "../load-failure.js";
import type { LogBook } from "../log.js";
import type { Registry } from "../registry.js";
import type { ServiceRegistry } from "../registry-types.js";
import type { ServiceModule } from "../types.js";
import { isAsync, runInService } from "../version/store-handle.js";
import { folderOf, getService, listServices, locate, servedFrom } from "./lookup.js";

/** Creates the registry's interface for the service `caller`. Changes are queued. */
export function registryView(
  registry: Registry,
  { events, logs }: { events: EventBus; logs: LogBook },
  caller?: string,
): ServiceRegistry {
  /** Queues a change of one service, by its own or its folder's name, after a start of it that is in progress. */
  const enqueue = <T>(name: string, change: () => Promise<T>) =>
    awaitingChange(async () => {
      if (registry.queue.takesTurns && registry.starts.has(name)) await registry.starts.over(name);
      return registry.queue.run(change);
    });
  /** Queues a change that loads a folder; unknown code is tried before the change is queued. */
  const enqueueLoad = <T>(
    name: string,
    folder: () => string | undefined,
    change: (trial?: Trial) => Promise<T>,
  ) => {
    if (!registry.queue.takesTurns) return registry.queue.run(change);
    // Continues when the caller itself is exchanged meanwhile.
    const inTurn = async () => {
      if (registry.starts.has(name)) await registry.starts.over(name);
      const trying = beginTrial(registry, folder);
      const trial = trying && (await trying);
      return registry.queue.run(() => change(trial));
    };
    return awaitingChange(() => inHost(inTurn));
  };
  const isDisabled = (dirName: string) => registry.switches?.isDisabled(dirName) === true;
  const ifOn = (dirName: string) => (isDisabled(dirName) ? undefined : dirName);
  return {
    list: () => listServices(registry, events),
    get: (name) => getService(registry, events, name),
    failures: () => registry.failures.list(),
    started: () => registry.started.promise,
    logs: (name) => logs.lines(name),
    run: (name, fn) => run(registry, name, fn),
    versions: (name) => registry.snapshots?.list(folderOf(registry, name)) ?? [],
    locate: (name) => locate(registry, name),
    servedFrom: (name) => servedFrom(registry, name),
    check: (dirName) => inHost(() => changes().check(registry, dirName)),
    load: (dirName, options = {}) => {
      // The verification runs in the caller's context.
      const verify = options.verify && AsyncLocalStorage.bind(options.verify.bind(options));
      return enqueueLoad(
        dirName,
        () => ifOn(dirName),
        (trial) => changes().load(registry, dirName, { ...options, verify, caller, trial }),
      );
    },
    reload: (name) =>
      enqueueLoad(
        name,
        () => ifOn(folderOf(registry, name)),
        async (trial) => changes().load(registry, folderOf(registry, name), { caller, trial }),
      ),
    sync: () => awaitingChange(() => changes().syncFolders(registry, caller)),
    unload: (name, options) =>
      enqueue(name, () => changes().unload(registry, name, { force: options?.force }, caller)),
    disable: (name, options) => enqueue(name, () => changes().disable(registry, name, options, caller)),
    enable: (name) =>
      enqueueLoad(
        name,
        () => folderOf(registry, name),
        (trial) => changes().enable(registry, name, trial),
      ),
    isDisabled,
    forget: (dirName) => enqueue(dirName, () => changes().forget(registry, dirName)),
    rollback: (name, digest) => enqueue(name, () => changes().rollBack(registry, name, digest, caller)),
    changeFolder: (dirName, change, options) =>
      enqueue(dirName, () =>
        changes().changeFolder(registry, dirName, change, options?.force ?? false, caller),
      ),
  };
}

/** Begins a trial of unknown code. A missing folder is reported by the change itself. */
function beginTrial(registry: Registry, folder: () => string | undefined): Promise<Trial> | undefined {
  let dirName: string | undefined;
  try {
    dirName = folder();
  } catch {
    return undefined;
  }
  return dirName === undefined ? undefined : registry.trials.begin([dirName]).get(dirName);
}

/** Runs a function on a service's module, in the service's context. */
function run<T>(registry: Registry, name: string, fn: (module: ServiceModule) => T): T {
  const peer = () => {
    const found = registry.peer(name);
    if (found) return found;
    throw new LoadFailure("UNKNOWN", "find", `there is no service "${name}".`);
  };
  return runInService(peer, () => fn(peer().module), isAsync(fn));
}
