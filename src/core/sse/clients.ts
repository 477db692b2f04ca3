/** Who has a place among the clients of a hub. */
import type { Connection } from "./connection.js";

export class Clients {
  /** Requests that were let in and have no connection yet. */
  arriving = 0;
  /** Those that have a connection and have not begun to read. */
  readonly idle = new Set<Connection>();
  readonly reading = new Set<Connection>();

  /** How many places are taken. */
  get size(): number {
    return this.arriving + this.idle.size + this.reading.size;
  }

  all(): Connection[] {
    return [...this.idle, ...this.reading];
  }

  begin(connection: Connection): void {
    this.idle.delete(connection);
    this.reading.add(connection);
  }

  /** Whether it was reading. */
  remove(connection: Connection): boolean {
    this.idle.delete(connection);
    return this.reading.delete(connection);
  }
}
