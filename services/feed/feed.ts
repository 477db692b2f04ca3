import type { EventStore } from "../../src/core/event-store.js";
import { eventStoreOf } from "../../src/core/event-store.js";
import { EventHub } from "../../src/core/sse/hub.js";
import type { WireEvent } from "../../src/core/tree/wire.js";
import type { EventInput, EventLog } from "../../src/core/tree.js";
import type { ServiceContext } from "../../src/core/types.js";

/** What the routes need of the server; there from `init` on. */
export class Feed {
  #store: EventStore | undefined;
  #hub: EventHub | undefined;
  #context: ServiceContext | undefined;

  open(ctx: ServiceContext): void {
    const store = eventStoreOf(ctx);
    const hub = new EventHub({ log: store.log });
    this.#store = store;
    this.#hub = hub;
    this.#context = ctx;
    ctx.signal.addEventListener("abort", () => hub.close());
  }

  get log(): EventLog {
    return opened(this.#store).log;
  }

  get hub(): EventHub {
    return opened(this.#hub);
  }

  /** Stores an event, then lets the services know; does not wait for what they make of it. */
  async publish(input: EventInput): Promise<WireEvent> {
    const event = await opened(this.#store).publish(input);
    opened(this.#context).events.fire("reef:event", event);
    return event;
  }
}

function opened<T>(part: T | undefined): T {
  if (part === undefined) throw new Error("the feed was used before its init()");
  return part;
}
