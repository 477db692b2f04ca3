/** A running version gives way to the next one, and nobody notices but by the new behaviour. */
import { breathe } from "./breathe.js";
import type { Source } from "./digest.js";
import type { Generation } from "./generation.js";
import { LoadFailure } from "./load-failure.js";
import type { Registry } from "./registry.js";
import type { LoadOptions } from "./registry-types.js";
import type { Service } from "./table.js";
import { importUnchanged } from "./unchanged.js";
import { verifyVersion } from "./verify.js";
import { flushStore, retire, saveStore, type Version } from "./version.js";

/** How long an exchange waits for handlers that only read before it goes on without them, in milliseconds. */
const PAUSE_LIMIT_MS = 2000;

/**
 * Exchanges a service's version for its folder's present code, which `source` identifies. Requests and events wait
 * while the old version finishes what it has begun and saves, and the new one is imported and started: so its store
 * reads everything that was acknowledged. Until the swap at the end anything that fails leaves the old version
 * serving. Requests to other services get their turn between the steps. Resolves with the service's name.
 */
export async function exchange(
  registry: Registry,
  service: Service,
  source: Source,
  caller: string | undefined,
  options: LoadOptions,
): Promise<string> {
  const { table } = registry;
  const old = service.current;
  const { promise: reopened, resolve: reopen } = Promise.withResolvers<void>();
  service.mount.gate = reopened;
  old.generation.scope.paused = reopened;
  try {
    await pause(old, registry.drainTimeoutMs, caller === service.name);
    await saveStore(old);
    const generation = await importUnchanged(registry, service.dirName as string, source);
    await breathe();
    await assertSuccessor(registry, service, generation);
    const fresh = await registry.start(generation, source);
    await breathe();
    await verifyVersion(fresh, options.verify);
    await breathe();
    table.swap(service, fresh);
  } finally {
    service.mount.gate = undefined;
    old.generation.scope.paused = undefined;
    reopen();
  }
  registry.rememberGood(source);
  service.draining.add(old);
  const limits = {
    drainMs: registry.drainTimeoutMs,
    flush: false,
    unaccounted: () => table.unaccounted([]),
  };
  const mayStillSave = old.module.store?.close !== undefined || !isQuiet(old);
  void breathe()
    .then(() => retire(old, limits))
    .then(() => (mayStillSave ? saveAgain(registry, service) : undefined))
    .finally(() => service.draining.delete(old));
  return service.name;
}

/**
 * Waits for the handlers in flight. Those that only read may finish beside the new version. What the others store
 * after the new version has read the store would be lost, so they get as long as requests get at all, and are not
 * told that it worked after that.
 */
async function pause(old: Version, limitMs: number, isAsking: boolean): Promise<void> {
  const { module, serving } = old;
  // Whoever changes its own service from one of its requests waits there for this. Where that matters, it is known.
  const except = isAsking && !serving.knowsAsking ? 1 : 0;
  if ((await serving.whenIdle(PAUSE_LIMIT_MS, except)) || !module.store?.flush) return;
  const written = await serving.whenWritten(Math.max(0, limitMs - PAUSE_LIMIT_MS));
  if (!written) serving.abandon("writers");
}

const isQuiet = ({ serving }: Version) => serving.active === 0 && serving.streams.size === 0;

/**
 * What a version saved last before it went, when it closed its store for instance, may have been older than what the
 * present one had acknowledged by then.
 */
async function saveAgain({ table }: Registry, service: Service): Promise<void> {
  const { current } = service;
  if (table.get(service.name) !== service) return;
  try {
    await flushStore(current);
  } catch (error) {
    current.generation.scope.fault("store.flush()", error);
  }
}

async function assertSuccessor(registry: Registry, service: Service, generation: Generation): Promise<void> {
  const { module } = generation;
  try {
    if (module.name !== service.name) {
      const message = `the folder's service is now called "${module.name}", it was "${service.name}".`;
      throw new LoadFailure("RENAMED", "order", message);
    }
    registry.table.assertDependencies(module);
  } catch (error) {
    await generation.dispose();
    throw error;
  }
}
