/**
 * One version of a service from start to end: init, serving, and going without losing anything. When another takes its
 * place it drains (draining.ts): finishes what it has begun. Then, or when the service is removed, it is retired: store
 * saved and closed. With that its generation is disposed, which ends its scope: everything that its code opened.
 */

import type { Source } from "./code/digest.js";
import { Serving, type ServingHooks } from "./dispatch/serving.js";
import { isA, messageOf } from "./errors.js";
import { initializing } from "./generation/host-context.js";
import { settleModule } from "./generation/module-check.js";
import type { Generation } from "./generation.js";
import { LoadFailure } from "./load-failure.js";
import { within } from "./scope.js";
import { STREAM_POLL_MS } from "./streams.js";
import type { ServiceModule } from "./types.js";
import { type ContextHost, createContext } from "./version/context.js";
import type { Waiters } from "./waiters.js";

/** A loaded generation with its request side. */
export interface Version {
  number: number;
  generation: Generation;
  module: ServiceModule;
  serving: Serving;
  /** Undefined for modules handed over as objects. */
  source: Source | undefined;
  loadedAt: Date;
}

/** How long a store may take to flush or close, and `dispose` to finish, in milliseconds. */
const STORE_LIMIT_MS = 10_000;

/** The same for a version that is given up since the server ends, in milliseconds. */
const GIVEN_UP_LIMIT_MS = 1000;

export interface StartOptions {
  host: ContextHost;
  hooks: ServingHooks;
  initTimeoutMs: number;
  /** By whom an `init` that runs can be given up. */
  waiters: Waiters;
}

/**
 * Prepares a generation for requests and runs its `init`. On failure the generation is let go of; its store is closed
 * only if its `init` was begun: before that another version may own the data.
 */
export async function startVersion(
  number: number,
  generation: Generation,
  source: Source | undefined,
  options: StartOptions,
): Promise<Version> {
  const { hooks } = options;
  let wasBegun = false;
  try {
    if (generation.module.init) {
      // That it can be mounted at all is found out before.
      servingOf(generation, hooks);
      wasBegun = true;
      await runInit(generation, options);
    }
    // With what init has added to its app.
    return versionOf(number, generation, source, hooks);
  } catch (error) {
    const limitMs = options.waiters.areOver ? GIVEN_UP_LIMIT_MS : STORE_LIMIT_MS;
    if (wasBegun) await closeStore({ module: generation.module, generation }, limitMs);
    await generation.dispose();
    throw error;
  }
}

/** Prepares a generation that has been initialised for requests. Throws a `LoadFailure`. */
export function versionOf(
  number: number,
  generation: Generation,
  source: Source | undefined,
  hooks: ServingHooks,
): Version {
  const { module } = generation;
  // What was handed over as an object may be handed over again, and start anew.
  if (source) settleModule(module);
  return { number, generation, module, serving: servingOf(generation, hooks), source, loadedAt: new Date() };
}

function servingOf({ module, scope }: Generation, hooks: ServingHooks): Serving {
  try {
    return new Serving(module, scope, hooks);
  } catch (error) {
    const message = `routes of "${module.name}" cannot be mounted: ${messageOf(error)}`;
    throw new LoadFailure("BAD_FIELD", "check", message, { cause: error });
  }
}

async function runInit({ module, scope }: Generation, options: StartOptions): Promise<void> {
  const { host, initTimeoutMs: ms, waiters } = options;
  const mark = { service: module.name, open: true };
  try {
    const running = initializing.run(mark, () =>
      scope.run(async () => module.init?.(createContext(scope, host))),
    );
    const timeout = () =>
      new LoadFailure("INIT_TIMEOUT", "init", `init() of "${module.name}" did not finish within ${ms} ms.`);
    await within(running, ms, timeout, waiters);
  } catch (error) {
    if (isA(error, LoadFailure)) throw error;
    throw new LoadFailure(
      "INIT_FAILED",
      "init",
      `Module "${module.name}" init() failed: ${messageOf(error)}`,
      {
        cause: error,
      },
    );
  } finally {
    mark.open = false;
  }
}

type Owner = Pick<Version, "module" | "generation">;

/** Writes out a version's store. Rejects with the store's own error, or when it takes too long. */
export async function flushStore({ module, generation }: Owner): Promise<void> {
  const { store } = module;
  if (!store?.flush) return;
  const flushing = generation.scope.run(async () => store.flush?.());
  await within(
    flushing,
    STORE_LIMIT_MS,
    () => new Error(`flush() did not finish within ${STORE_LIMIT_MS} ms`),
  );
}

/** The same for a version that must not go before it has saved: rejects with a `LoadFailure`. */
export async function saveStore(version: Version): Promise<void> {
  try {
    await flushStore(version);
  } catch (error) {
    const message = `"${version.module.name}" could not save its store and keeps serving: ${messageOf(error)}`;
    throw new LoadFailure("FLUSH_FAILED", "swap", message, { cause: error });
  }
}

async function closeStore({ module: { store }, generation }: Owner, limitMs?: number): Promise<void> {
  await attempt(generation.scope, "store.close()", store && (async () => store.close?.()), limitMs);
}

async function attempt(
  scope: Generation["scope"],
  what: string,
  fn: (() => Promise<unknown>) | undefined,
  limitMs = STORE_LIMIT_MS,
): Promise<void> {
  if (!fn) return;
  try {
    await within(scope.run(fn), limitMs, () => new Error(`did not finish within ${limitMs} ms`));
  } catch (error) {
    scope.fault(what, error);
  }
}

/** How long handlers of events, and what others do with the store, are waited for at most, in milliseconds. */
const HANDLING_LIMIT_MS = 2000;

export interface RetireOptions {
  /** How long requests and streams may take to finish, in milliseconds. */
  drainMs: number;
  flush: boolean;
  /** The server is going: nobody waits for event streams, whose clients come back later. */
  shutdown?: boolean;
  /** How long `dispose`, `flush` and `close` may take each, in milliseconds; default 10 000. */
  limitMs?: number;
  /** Replies still being sent that may be this version's. */
  unaccounted: () => number;
  /** Nothing is waited for any more once this settles. */
  hurried?: Promise<void>;
  /** Whether what waits for a change itself is waited for: only where no change waits for the end of this version. */
  waitsForAskers?: boolean;
}

/** Lets go of a version that never served. Its store is closed, not flushed: the data is another version's. */
export function discard(version: Version): Promise<void> {
  return retire(version, { drainMs: 0, flush: false, unaccounted: () => 0 });
}

/**
 * Lets go of a version that receives no more requests: waits for what is in flight, up to `drainMs`, then calls
 * its `dispose`, flushes (unless a newer version owns the data by now), closes the store and ends the scope.
 * Never rejects; what goes wrong is in the service's log.
 */
export async function retire(version: Version, options: RetireOptions): Promise<void> {
  const { generation, module, serving } = version;
  const { drainMs, limitMs, shutdown = false, waitsForAskers = false } = options;
  const { hurried = new Promise(() => undefined) } = options;
  const { scope } = generation;
  scope.active = false;
  let deadline = Date.now() + drainMs;
  const hurry = hurried.then(() => {
    deadline = 0;
  });
  const handlingMs = Math.min(drainMs, HANDLING_LIMIT_MS);
  const idle = Promise.all([
    serving.whenIdle(drainMs, 0, waitsForAskers),
    scope.handling.whenOver(handlingMs, waitsForAskers),
  ]);
  await Promise.race([idle, hurry]);
  serving.streams.stop((stop) => {
    try {
      scope.run(stop);
    } catch (error) {
      scope.fault("ending a stream", error);
    }
  });
  const sending = () =>
    (shutdown ? serving.streams.finite : serving.streams.size) > 0 || options.unaccounted() > 0;
  while (Date.now() < deadline && sending()) await Bun.sleep(STREAM_POLL_MS);
  serving.abandon("all", shutdown ? "SHUTTING_DOWN" : "BUSY");
  await attempt(scope, "dispose()", module.dispose ? async () => module.dispose?.() : undefined, limitMs);
  if (options.flush) await attempt(scope, "store.flush()", () => flushStore(version), limitMs);
  await closeStore(version, limitMs);
  await generation.dispose();
  serving.streams.end();
}
