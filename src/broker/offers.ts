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
  /** Takes it away from the broker that has it. */
  withdraw: (() => void) | null;
}

/** What the services of one Reef offer, and the broker that serves it. Outlives every version of either. */
interface Book {
  offers: Set<Offer>;
  broker: Broker | null;
}

/** By data folder: one Reef has one, and tests run several in a process. */
const books = new Map<string, Book>();

function bookOf(dataDir: string): Book {
  let book = books.get(dataDir);
  if (!book) {
    book = { offers: new Set(), broker: null };
    books.set(dataDir, book);
  }
  return book;
}

/**
 * Makes methods of a service module callable through the broker as
 * `<service's name>/<service>/<method>`, until this version of it goes. Throws a
 * `BrokerError` for names that cannot be called, and a `SchemaError`.
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
  const book = bookOf(ctx.dataDir);
  const offer: Offer = { owner: ctx.name, service, methods, withdraw: null };
  if (book.broker) offer.withdraw = book.broker.registerLocal(ctx.name, service, methods);
  book.offers.add(offer);
  ctx.onDispose(() => {
    book.offers.delete(offer);
    offer.withdraw?.();
  });
}

/**
 * Has a broker serve everything that is offered, now and later. Returns what ends that;
 * offers stay and go to the next broker. `onError` hears of offers that cannot be served.
 */
export function serveOffers(
  dataDir: string,
  broker: Broker,
  onError: (what: string, error: unknown) => void,
): () => void {
  const book = bookOf(dataDir);
  book.broker = broker;
  for (const offer of book.offers) {
    try {
      offer.withdraw = broker.registerLocal(offer.owner, offer.service, offer.methods);
    } catch (error) {
      offer.withdraw = null;
      onError(`${offer.owner}/${offer.service}`, error);
    }
  }
  return () => {
    if (book.broker !== broker) return;
    book.broker = null;
    for (const offer of book.offers) offer.withdraw = null;
    if (book.offers.size === 0) books.delete(dataDir);
  };
}
