/** Finds row numbers of events by id. */
import type { Database } from "bun:sqlite";
import { idRow } from "./ids.js";

interface Place {
  seq: number;
  id: string;
}

/** Finds row numbers by id without an index: ids increase with row numbers, and nearly all contain theirs. */
export class Positions {
  readonly #at;
  readonly #nearest;
  readonly #oldest;

  constructor(db: Database) {
    this.#at = db.query<Place, [number]>("SELECT seq, id FROM nodes WHERE seq = ?");
    this.#nearest = db.query<Place, [number]>(
      "SELECT seq, id FROM nodes WHERE seq <= ? ORDER BY seq DESC LIMIT 1",
    );
    this.#oldest = db.query<Place, []>("SELECT seq, id FROM nodes ORDER BY seq LIMIT 1");
  }

  /** The row number of an event; undefined when there is no such event. */
  of(id: string): number | undefined {
    const place = this.#upTo(id);
    return place?.id === id ? place.seq : undefined;
  }

  /** The row number of the first event at or after a position; beyond all rows when there is none. */
  firstFrom(position: string | undefined): number {
    if (position === undefined) return Number.MAX_SAFE_INTEGER;
    const place = this.#upTo(position);
    if (!place) return 0;
    return place.id === position ? place.seq : place.seq + 1;
  }

  /** The row number of the last event up to and including a position; 0 when there is none. */
  lastUpTo(position: string): number {
    return this.#upTo(position)?.seq ?? 0;
  }

  #upTo(position: string): Place | null {
    if (position === "") return null;
    const hint = idRow(position);
    const there = Number.isNaN(hint) ? null : this.#at.get(hint);
    return there?.id === position ? there : this.#search(position);
  }

  #search(position: string): Place | null {
    const oldest = this.#oldest.get();
    const newest = this.#nearest.get(Number.MAX_SAFE_INTEGER);
    if (!oldest || !newest || oldest.id > position) return null;
    if (newest.id <= position) return newest;
    let found = oldest;
    let low = oldest.seq;
    let high = newest.seq - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      const place = this.#nearest.get(middle) ?? oldest;
      if (place.id > position) high = place.seq - 1;
      else {
        found = place;
        low = middle;
      }
    }
    return found;
  }
}
