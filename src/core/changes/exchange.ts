/** Replaces a running version with the next one without losing requests, events or acknowledged data. */

import type { Source } from "../code/digest.js";
import { importUnchanged } from "../code/unchanged.js";
import { ReefError } from "../errors.js";
import { yieldToEventLoop } from "../event-loop.js";
import { inExchange } from "../generation/host-context.js";
import type { Generation } from "../generation.js";
import { LoadFailure } from "../load-failure.js";
import type { Service } from "../registry/table.js";
import type { Registry } from "../registry.js";
import type { LoadOptions } from "../registry-types.js";
import { drain } from "../version/draining.js";
import { discard, saveStore, type Version } from "../version.js";
import { verifyVersion } from "./verify.js";

/** How long an exchange waits for handlers that only read, in milliseconds. */
const PAUSE_LIMIT_MS = 2000;

/**
 * Replaces a service's version with its folder's current code, which `source` identifies. Requests and events
 * wait while the old version finishes what it has begun and saves, and the new version is imported and started,
 * so that its store reads everything that was acknowledged. Any failure before the swap leaves the old version
 * serving. Requests to other services are served between the steps. Resolves with the service's name.
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
  let wasAbandoned: boolean;
  try {
    const pausing = pause(old, registry.drainTimeoutMs, caller === service.name);
    wasAbandoned = await registry.admission.whileOpen(pausing);
    table.swap(service, await startSuccessor(registry, service, source, options));
    if (old.module.store?.flush) abandonAwaiting(old);
  } finally {
    service.mount.gate = undefined;
    old.generation.scope.paused = undefined;
    old.generation.scope.flushWindow = undefined;
    reopen();
  }
  registry.checker?.remember(source.digest);
  // An abandoned handler must not store anything any more over what the new version stores.
  drain(table, service, old, wasAbandoned ? 0 : registry.drainTimeoutMs);
  return service.name;
}

/** How often saving and starting is attempted while other services call the store meanwhile. */
const MAX_ATTEMPTS = 3;

/**
 * Saves the running version's store and starts the next version, which reads it. Repeats both when other
 * services called the store in between; see `FlushWindow`. Resolves with the next version.
 */
async function startSuccessor(
  registry: Registry,
  service: Service,
  source: Source,
  options: LoadOptions,
): Promise<Version> {
  const old = service.current;
  const { scope } = old.generation;
  for (let time = 1; ; time++) {
    const flushWindow = { wasCalled: false, refusesCalls: time === MAX_ATTEMPTS };
    if (old.module.store?.flush) {
      scope.flushWindow = flushWindow;
      // Calls by other services that have just begun. What does not finish in time must not be acknowledged.
      const isOver = await registry.admission.whileOpen(scope.handling.whenOver(PAUSE_LIMIT_MS));
      if (!isOver) scope.handling.abandon(new ReefError("BUSY"));
    }
    await inExchange(service.name, "save", () => saveStore(old));
    await yieldToEventLoop();
    // Calls during the save may not have been saved, for instance those of a listener that runs on each save.
    if (flushWindow.wasCalled) continue;
    const fresh = await startNext(registry, service, source, options);
    if (!flushWindow.wasCalled) return fresh;
    await discard(fresh);
  }
}

async function startNext(
  registry: Registry,
  service: Service,
  source: Source,
  { verify }: LoadOptions,
): Promise<Version> {
  const generation = await importUnchanged(registry, service.dirName as string, source);
  await yieldToEventLoop();
  await assertSuccessor(registry, service, generation);
  return inExchange(service.name, "start", async () => {
    const fresh = await registry.admission.start(generation, source);
    await yieldToEventLoop();
    if (verify) await verifyVersion(fresh, verify);
    await yieldToEventLoop();
    return fresh;
  });
}

/**
 * Waits for handlers in flight. Handlers that only read may finish beside the new version. Whatever the others
 * store after the new version has read the store would be lost, so they are given the full drain time and are
 * answered with an error after that; the same holds for event handlers and for replies to such requests that
 * are still being sent. Resolves with whether any did not finish in time.
 */
async function pause(old: Version, limitMs: number, isOwnRequest: boolean): Promise<boolean> {
  const { module, serving, generation } = old;
  const deadline = Date.now() + Math.max(limitMs, PAUSE_LIMIT_MS);
  const left = () => Math.max(0, deadline - Date.now());
  // A request that changes its own service waits for this exchange. Where that matters, `tracksWork` identifies
  // it.
  const except = isOwnRequest && !serving.tracksWork ? 1 : 0;
  const isIdle = await serving.whenIdle(PAUSE_LIMIT_MS, except);
  if (!module.store?.flush) return false;
  const written = isIdle || (await serving.whenWritten(left()));
  const handled = await generation.scope.handling.whenOver(left());
  const sent = await serving.streams.whenWritten(left());
  if (!written) serving.abandon("awaited writers");
  if (!handled) generation.scope.handling.abandon(new ReefError("BUSY"));
  return !(written && handled && sent);
}

/**
 * Answers requests that wait for this exchange with an error: the new version would not see what they store
 * now.
 */
function abandonAwaiting({ serving, generation }: Version): void {
  serving.abandon("writers");
  generation.scope.handling.abandon(new ReefError("BUSY"));
}

async function assertSuccessor(registry: Registry, service: Service, generation: Generation): Promise<void> {
  const { module } = generation;
  try {
    if (module.name !== service.name) {
      const message = `the folder's service was renamed from "${service.name}" to "${module.name}"; unload "${service.name}" first.`;
      throw new LoadFailure("RENAMED", "order", message);
    }
    registry.table.assertDependencies(module);
  } catch (error) {
    await generation.dispose();
    throw error;
  }
}
