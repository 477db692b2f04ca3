/** The clients of an event hub. */
import type { Connection } from "./connection.js";

/** Counts clients and groups them by state. */
export class Clients {
  /** Accepted requests without a connection yet. */
  arriving = 0;
  /** Clients with a connection that have not begun to read. */
  readonly idle = new Set<Connection>();
  readonly reading = new Set<Connection>();

  /** The number of clients. */
  get size(): number {
    return this.arriving + this.idle.size + this.reading.size;
  }

  all(): Connection[] {
    return [...this.idle, ...this.reading];
  }

  /** Moves a client from idle to reading. */
  begin(connection: Connection): void {
    this.idle.delete(connection);
    this.reading.add(connection);
  }

  /** Removes a client. Returns whether it was reading. */
  remove(connection: Connection): boolean {
    this.idle.delete(connection);
    return this.reading.delete(connection);
  }
}
