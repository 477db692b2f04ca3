/** The stored events of a data folder, shared by all servers of this process that use it. */
import { join } from "node:path";
import type { EventSink } from "./events.js";
import { inHost } from "./generation/host-context.js";
import { eventTree } from "./lazy.js";
import { toWire, type WireEvent } from "./tree/wire.js";
import type { EventInput, EventLog, EventTree, EventTreeOptions } from "./tree.js";

const stores = new Map<string, EventStore>();

/** A server's reference to a store. */
export interface EventStoreUse {
  readonly sink: EventSink;
  /** Releases the reference; the last one closes the file. Idempotent. */
  release(): Promise<void>;
}

/** The events of one data folder, shared by every server of this process that uses the folder. */
export class EventStore {
  #users = 0;
  readonly #options: EventTreeOptions;
  readonly #stored = new WeakSet<object>();
  #tree: EventTree | undefined;

  constructor(options: EventTreeOptions) {
    this.#options = options;
  }

  /** The event log; the file is opened at first use. */
  get log(): EventLog {
    // In the host's context, so that it stays open when the requesting service goes.
    this.#tree ??= inHost(() => new (eventTree().EventTree)(this.#options));
    return this.#tree;
  }

  /**
   * Stores an event. Resolves, once it is on disk, with the event as clients and subscribers receive it. That
   * object can be emitted as `reef:event` without being stored again.
   */
  async publish(input: EventInput): Promise<WireEvent> {
    const wire = toWire(await this.log.append(input));
    this.#stored.add(wire);
    return wire;
  }

  /** Stores events emitted as `reef:event`. `source` defaults to the emitting service. */
  readonly sink: EventSink = async (data, from) => {
    if (this.#stored.has(data)) return data;
    const anonymous = from !== undefined && typeof data === "object" && data !== null && !("source" in data);
    return this.publish(anonymous ? { ...data, source: from } : data);
  };

  /** Acquires a reference. The store stays open until all references are released. */
  use(): EventStoreUse {
    this.#users++;
    let left: Promise<void> | undefined;
    const release = () => {
      left ??= this.#leave();
      return left;
    };
    return { sink: this.sink, release };
  }

  async #leave(): Promise<void> {
    if (--this.#users > 0) return;
    stores.delete(this.#options.path);
    await this.#tree?.close();
  }
}

function pathIn(dataDir: string): string {
  return join(dataDir, "events.sqlite");
}

function storeAt(path: string, options: Omit<EventTreeOptions, "path">): EventStore {
  const store = stores.get(path) ?? new EventStore({ ...options, path });
  stores.set(path, store);
  return store;
}

/** Opens the store of a data folder for a server, which must release it. */
export function openEventStore(dataDir: string, options: Omit<EventTreeOptions, "path">): EventStoreUse {
  return storeAt(pathIn(dataDir), options).use();
}

/**
 * The store of the server that a service runs in.
 *
 * @example
 * init(ctx) {
 *   const { log } = eventStoreOf(ctx);
 *   const failures = await log.search({ type: "deploy_failed", limit: 10 });
 * }
 */
export function eventStoreOf(ctx: { readonly dataDir: string }): EventStore {
  // A service that is being tried has a data folder without a server.
  return storeAt(pathIn(ctx.dataDir), {});
}
