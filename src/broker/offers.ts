/** Methods that service modules offer through the broker. */
import type { Broker } from "./broker.js";
import type { LocalMethod } from "./calls/local.js";

/** The part of a service's context that an offer needs. */
export interface OfferingContext {
  readonly name: string;
  readonly dataDir: string;
  onDispose(fn: () => void): void;
}

interface Offer {
  owner: string;
  service: string;
  methods: Record<string, LocalMethod>;
  /** Removes it from the broker that serves it. */
  withdraw: (() => void) | null;
}

/** The offers of one Reef's services, and the broker that serves them. Outlives all versions of both. */
interface OfferTable {
  offers: Set<Offer>;
  broker: Broker | null;
}

/** By data folder, of which each Reef has its own; tests run several in a process. */
const tables = new Map<string, OfferTable>();

function offersOf(dataDir: string): OfferTable {
  let table = tables.get(dataDir);
  if (!table) {
    table = { offers: new Set(), broker: null };
    tables.set(dataDir, table);
  }
  return table;
}

/**
 * Makes methods of a service module callable through the broker as `<service's name>/<service>/<method>`, until
 * this version of it ends. Throws a `BrokerError` for invalid names, and a `SchemaError`.
 *
 * @example
 * ```ts
 * init(ctx) {
 *   offerMethods(ctx, "tasks", {
 *     count: { outputSchema: Type.Number(), handler: () => tasks.size },
 *   });
 * }
 * ```
 */
export function offerMethods(
  ctx: OfferingContext,
  service: string,
  methods: Record<string, LocalMethod>,
): void {
  const table = offersOf(ctx.dataDir);
  const offer: Offer = { owner: ctx.name, service, methods, withdraw: null };
  if (table.broker) offer.withdraw = table.broker.registerLocal(ctx.name, service, methods);
  table.offers.add(offer);
  ctx.onDispose(() => {
    table.offers.delete(offer);
    offer.withdraw?.();
  });
}

/**
 * Makes a broker serve all current and future offers. Returns the function that stops that; the offers then
 * wait for the next broker. `onError` receives offers that cannot be served.
 */
export function serveOffers(
  dataDir: string,
  broker: Broker,
  onError: (what: string, error: unknown) => void,
): () => void {
  const table = offersOf(dataDir);
  table.broker = broker;
  for (const offer of table.offers) {
    try {
      offer.withdraw = broker.registerLocal(offer.owner, offer.service, offer.methods);
    } catch (error) {
      offer.withdraw = null;
      onError(`${offer.owner}/${offer.service}`, error);
    }
  }
  return () => {
    if (table.broker !== broker) return;
    table.broker = null;
    for (const offer of table.offers) offer.withdraw = null;
    if (table.offers.size === 0) tables.delete(dataDir);
  };
}
