/** A running version gives way to the next one, and nobody notices but by the new behaviour. */

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
  let wasAbandoned: boolean;
  try {
    const pausing = pause(old, registry.drainTimeoutMs, caller === service.name);
    wasAbandoned = await registry.admission.whileOpen(pausing);
    table.swap(service, await handOver(registry, service, source, options));
    if (old.module.store?.flush) giveUpAskers(old);
  } finally {
    service.mount.gate = undefined;
    old.generation.scope.paused = undefined;
    old.generation.scope.handover = undefined;
    reopen();
  }
  registry.checker?.remember(source.digest);
  // What was not acknowledged must not be stored any more, over what comes now.
  drain(table, service, old, wasAbandoned ? 0 : registry.drainTimeoutMs);
  return service.name;
}

/** So often a store is handed over at most, when other services call it meanwhile. */
const MOST_HANDOVERS = 3;

/**
 * Saves the running version's store and starts the next version, which reads it. Resolves with the next version:
 * nothing was lost between the two, see `Handover`.
 */
async function handOver(
  registry: Registry,
  service: Service,
  source: Source,
  options: LoadOptions,
): Promise<Version> {
  const old = service.current;
  const { scope } = old.generation;
  for (let time = 1; ; time++) {
    const handover = { wasUsed: false, isClosed: time === MOST_HANDOVERS };
    if (old.module.store?.flush) {
      scope.handover = handover;
      // Of what others have begun a moment ago. What is not over by then must not be acknowledged.
      const isOver = await registry.admission.whileOpen(scope.handling.whenOver(PAUSE_LIMIT_MS));
      if (!isOver) scope.handling.abandon(new ReefError("BUSY"));
    }
    await inExchange(service.name, "save", () => saveStore(old));
    await yieldToEventLoop();
    // What was done with the store while it was saved may not have been: by a listener, as often as it is saved.
    if (handover.wasUsed) continue;
    const fresh = await startNext(registry, service, source, options);
    if (!handover.wasUsed) return fresh;
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
 * Waits for the handlers in flight. Those that only read may finish beside the new version. What the others store
 * after the new version has read the store would be lost, so they get as long as requests get at all, and are not
 * told that it worked after that; so do handlers of events, and replies to such requests that are still being sent.
 * Resolves with whether there were any.
 */
async function pause(old: Version, limitMs: number, isAsking: boolean): Promise<boolean> {
  const { module, serving, generation } = old;
  const deadline = Date.now() + Math.max(limitMs, PAUSE_LIMIT_MS);
  const left = () => Math.max(0, deadline - Date.now());
  // Whoever changes its own service from one of its requests waits there for this. Where that matters, it is known.
  const except = isAsking && !serving.knowsAsking ? 1 : 0;
  const isIdle = await serving.whenIdle(PAUSE_LIMIT_MS, except);
  if (!module.store?.flush) return false;
  const written = isIdle || (await serving.whenWritten(left()));
  const handled = await generation.scope.handling.whenOver(left());
  const sent = await serving.streams.whenWritten(left());
  if (!written) serving.abandon("awaited writers");
  if (!handled) generation.scope.handling.abandon(new ReefError("BUSY"));
  return !(written && handled && sent);
}

/** What they store, now that the change they wait for is made, nobody would find again. So they are not acknowledged. */
function giveUpAskers({ serving, generation }: Version): void {
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
