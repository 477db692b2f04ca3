/** Versions that were exchanged, and finish what they have begun beside the present one. */

import { yieldToEventLoop } from "../event-loop.js";
import type { Service, ServiceTable } from "../registry/table.js";
import { STREAM_POLL_MS } from "../streams.js";
import { flushStore, retire, type Version } from "../version.js";

/** An older version on its way out. */
export interface Draining {
  /** Settles when nothing of it is left. Never rejects. */
  done: Promise<void>;
  /** Ends what it has not finished. */
  hurry(): void;
}

/** Lets go of a version that another took the place of; what it has begun gets `drainMs` milliseconds. */
export function drain(table: ServiceTable, service: Service, old: Version, drainMs: number): void {
  const { promise: hurried, resolve: hurry } = Promise.withResolvers<void>();
  const { store } = old.module;
  const mayStillSave = store?.close !== undefined || (store?.flush !== undefined && !isQuiet(old));
  const unaccounted = () => table.unaccounted([]);
  const done = yieldToEventLoop()
    .then(() => retire(old, { drainMs, flush: false, unaccounted, hurried, waitsForAskers: true }))
    .then(() => (mayStillSave ? saveAgain(table, service) : undefined))
    .finally(() => service.draining.delete(old));
  service.draining.set(old, { done, hurry });
}

const isQuiet = ({ serving }: Version) => serving.active === 0 && serving.streams.size === 0;

/**
 * What a version saved last before it went, when it closed its store for instance, may have been older than what the
 * present one had acknowledged by then.
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
 * For a service that goes: its older versions go first, so that the present one is the last that saves. Requests that
 * they have not answered get `ms` milliseconds; event streams, whose clients come back, end at once.
 */
export async function endOlder({ draining }: Service, ms: number): Promise<void> {
  const deadline = Date.now() + ms;
  const isBusy = () =>
    [...draining.keys()].some(({ serving }) => serving.active > 0 || serving.streams.finite > 0);
  while (isBusy() && Date.now() < deadline) await Bun.sleep(STREAM_POLL_MS);
  const all = [...draining.values()];
  for (const { hurry } of all) hurry();
  await Promise.all(all.map(({ done }) => done));
}
