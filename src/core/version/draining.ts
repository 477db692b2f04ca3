/** Replaced versions that finish what they have begun beside the current one. */

import { yieldToEventLoop } from "../event-loop.js";
import type { Service, ServiceTable } from "../registry/table.js";
import { STREAM_POLL_MS } from "../streams.js";
import { flushStore, retire, type Version } from "../version.js";

/** A replaced version that is still finishing. */
export interface Draining {
  /** Settles when it has been retired. Never rejects. */
  done: Promise<void>;
  /** Cuts short whatever it has not finished. */
  finishNow(): void;
}

/** Retires a replaced version; what it has begun gets `drainMs` milliseconds. */
export function drain(table: ServiceTable, service: Service, old: Version, drainMs: number): void {
  const { promise: cutShort, resolve: finishNow } = Promise.withResolvers<void>();
  const { store } = old.module;
  const mayStillSave = store?.close !== undefined || (store?.flush !== undefined && !isQuiet(old));
  const untrackedReplies = () => table.untrackedReplies([]);
  const done = yieldToEventLoop()
    .then(() => retire(old, { drainMs, flush: false, untrackedReplies, cutShort, includeAwaiting: true }))
    .then(() => (mayStillSave ? saveAgain(table, service) : undefined))
    .finally(() => service.draining.delete(old));
  service.draining.set(old, { done, finishNow });
}

const isQuiet = ({ serving }: Version) => serving.active === 0 && serving.streams.size === 0;

/**
 * Flushes the current version again: what the old version saved at its end, for instance when it closed its
 * store, may be older than what the current one has acknowledged.
 */
async function saveAgain(table: ServiceTable, service: Service): Promise<void> {
  const { current } = service;
  if (table.get(service.name) !== service) return;
  try {
    await flushStore(current);
  } catch (error) {
    current.generation.scope.fault("store.flush()", error);
  }
}

/**
 * Retires the older versions of a service that is being removed, so that the current one is the last to save.
 * Their unanswered requests get `ms` milliseconds; event streams end at once, since clients reconnect.
 */
export async function endOlder({ draining }: Service, ms: number): Promise<void> {
  const deadline = Date.now() + ms;
  const isBusy = () =>
    [...draining.keys()].some(({ serving }) => serving.active > 0 || serving.streams.finite > 0);
  while (isBusy() && Date.now() < deadline) await Bun.sleep(STREAM_POLL_MS);
  const all = [...draining.values()];
  for (const { finishNow } of all) finishNow();
  await Promise.all(all.map(({ done }) => done));
}
