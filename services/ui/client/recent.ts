/** Where a tab is in the events, and the latest of them: what another tab may have missed that goes on from here. */
import type { ServerSentEvent } from "../server-sent-events.js";

/** Characters of events that are kept. */
const KEPT = 256 * 1024;

export class Recent {
  /** The id of the latest event that was seen. Ids rise. */
  last = "";
  /** Everything after this event is kept. */
  #floor = "";
  #events: Array<ServerSentEvent & { id: string }> = [];
  #size = 0;

  constructor(readonly kept = KEPT) {}

  /** Takes in what has come. Returns whether it is to be acted on, or has been before. */
  add({ id, event, data }: ServerSentEvent): boolean {
    if (!id) return true;
    if (event === "reset") {
      this.begin(id);
      return true;
    }
    if (id <= this.last) return false;
    if (this.last === "") this.#floor = id;
    this.last = id;
    if (data === "") return true;
    this.#events.push({ id, event, data });
    this.#size += data.length;
    while (this.#size > this.kept) {
      const oldest = this.#events.shift();
      this.#size -= oldest?.data.length ?? 0;
      this.#floor = oldest?.id ?? this.last;
    }
    return true;
  }

  /** Goes on after an event, with nothing before it. */
  begin(id: string): void {
    this.last = id;
    this.#floor = id;
    this.#events = [];
    this.#size = 0;
  }

  /** What came after an event; undefined when that is not known any more. Who has seen no event has missed none. */
  after(id: string): ServerSentEvent[] | undefined {
    if (id === "") return [];
    return id < this.#floor ? undefined : this.#events.filter((event) => event.id > id);
  }
}
