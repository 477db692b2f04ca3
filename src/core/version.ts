/**
 * One version of a service from start to end: `init`, serving, and retirement without data loss. A replaced
 * version first drains (draining.ts): it finishes what it has begun. Then, or when the service is removed, it
 * is retired: its store is saved and closed, and its generation is disposed, which ends its scope and closes
 * everything that its code opened.
 */

import type { Source } from "./code/digest.js";
import { Serving, type ServingHooks } from "./dispatch/serving.js";
import { isA, messageOf } from "./errors.js";
import { initializing } from "./generation/host-context.js";
import { settleModule } from "./generation/module-check.js";
import type { Generation } from "./generation.js";
import { LoadFailure } from "./load-failure.js";
import { withTimeout } from "./scope.js";
import { STREAM_POLL_MS } from "./streams.js";
import type { ServiceModule } from "./types.js";
import { type ContextHost, createContext } from "./version/context.js";
import type { PendingWaits } from "./waiters.js";

/** A generation that has been started. */
export interface Version {
  number: number;
  generation: Generation;
  module: ServiceModule;
  serving: Serving;
  /** Undefined for module objects. */
  source: Source | undefined;
  loadedAt: Date;
}

/** How long a store may take to flush or close, and `dispose` to finish, in milliseconds. */
const STORE_LIMIT_MS = 10_000;

/** The same for a version that is abandoned at the end of the server. */
const SHUTDOWN_LIMIT_MS = 1000;

/** What starting a version needs. */
export interface StartOptions {
  host: ContextHost;
  hooks: ServingHooks;
  initTimeoutMs: number;
  /** Can abandon a running `init`. */
  waits: PendingWaits;
}

/**
 * Runs a generation's `init` and prepares it for requests. On failure the generation is disposed; its store is
 * closed only if its `init` had begun: before that, another version may own the data.
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
      // Detects an app that cannot be mounted before `init` runs.
      servingOf(generation, hooks);
      wasBegun = true;
      await runInit(generation, options);
    }
    // Mounted again, since `init` may have added routes.
    return versionOf(number, generation, source, hooks);
  } catch (error) {
    const limitMs = options.waits.isClosed ? SHUTDOWN_LIMIT_MS : STORE_LIMIT_MS;
    if (wasBegun) await closeStore({ module: generation.module, generation }, limitMs);
    await generation.dispose();
    throw error;
  }
}

/**
 * Prepares an initialised generation for requests.
 *
 * @throws LoadFailure
 */
export function versionOf(
  number: number,
  generation: Generation,
  source: Source | undefined,
  hooks: ServingHooks,
): Version {
  const { module } = generation;
  // A module object may be started again, so its getters stay.
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
  const { host, initTimeoutMs: ms, waits } = options;
  const mark = { service: module.name, open: true };
  try {
    const running = initializing.run(mark, () =>
      scope.run(async () => module.init?.(createContext(scope, host))),
    );
    const timeout = () =>
      new LoadFailure("INIT_TIMEOUT", "init", `init() of "${module.name}" did not finish within ${ms} ms.`);
    await withTimeout(running, ms, timeout, waits);
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

/** Flushes a version's store. Rejects with the store's own error, or when it takes too long. */
export async function flushStore({ module, generation }: Owner): Promise<void> {
  const { store } = module;
  if (!store?.flush) return;
  const flushing = generation.scope.run(async () => store.flush?.());
  await withTimeout(
    flushing,
    STORE_LIMIT_MS,
    () => new Error(`flush() did not finish within ${STORE_LIMIT_MS} ms`),
  );
}

/** Flushes the store of a version that must not go before it has saved. Rejects with a `LoadFailure`. */
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
    await withTimeout(scope.run(fn), limitMs, () => new Error(`did not finish within ${limitMs} ms`));
  } catch (error) {
    scope.fault(what, error);
  }
}

/** The maximum wait for event handlers and store calls of others, in milliseconds. */
const HANDLING_LIMIT_MS = 2000;

/** How a version is retired. */
export interface RetireOptions {
  /** How long requests and streams may take to finish, in milliseconds. */
  drainMs: number;
  flush: boolean;
  /** The server is shutting down: event streams are not waited for, since clients reconnect. */
  shutdown?: boolean;
  /** How long `dispose`, `flush` and `close` may take each, in milliseconds; default 10 000. */
  limitMs?: number;
  /** The number of replies in transit that may be this version's. */
  untrackedReplies: () => number;
  /** Ends all waiting when it settles. */
  cutShort?: Promise<void>;
  /**
   * Whether to wait for work that itself waits for a change. Only if no change waits for the end of this
   * version.
   */
  includeAwaiting?: boolean;
}

/**
 * Retires a version that never served. Its store is closed without a flush: the data belongs to another
 * version.
 */
export function discard(version: Version): Promise<void> {
  return retire(version, { drainMs: 0, flush: false, untrackedReplies: () => 0 });
}

/**
 * Retires a version that receives no more requests: waits up to `drainMs` for requests in flight, calls
 * `dispose`, flushes the store (unless a newer version owns the data), closes it, and ends the scope. Never
 * rejects; errors are in the service's log.
 */
export async function retire(version: Version, options: RetireOptions): Promise<void> {
  const { generation, module, serving } = version;
  const { drainMs, limitMs, shutdown = false, includeAwaiting = false } = options;
  const { cutShort = new Promise(() => undefined) } = options;
  const { scope } = generation;
  scope.active = false;
  let deadline = Date.now() + drainMs;
  const cut = cutShort.then(() => {
    deadline = 0;
  });
  const handlingMs = Math.min(drainMs, HANDLING_LIMIT_MS);
  const idle = Promise.all([
    serving.whenIdle(drainMs, 0, includeAwaiting),
    scope.handling.whenOver(handlingMs, includeAwaiting),
  ]);
  await Promise.race([idle, cut]);
  serving.streams.stop((stop) => {
    try {
      scope.run(stop);
    } catch (error) {
      scope.fault("ending a stream", error);
    }
  });
  const sending = () =>
    (shutdown ? serving.streams.finite : serving.streams.size) > 0 || options.untrackedReplies() > 0;
  while (Date.now() < deadline && sending()) await Bun.sleep(STREAM_POLL_MS);
  serving.abandon("all", shutdown ? "SHUTTING_DOWN" : "BUSY");
  await attempt(scope, "dispose()", module.dispose ? async () => module.dispose?.() : undefined, limitMs);
  if (options.flush) await attempt(scope, "store.flush()", () => flushStore(version), limitMs);
  await closeStore(version, limitMs);
  await generation.dispose();
  serving.streams.end();
}
