/** Reads lists of events from the database. */
import type { Database, SQLQueryBindings } from "bun:sqlite";
import { columns, type Row, toNode } from "./database.js";
import { EventLogError } from "./errors.js";
import { isEventId } from "./ids.js";
import type { EventNode, EventPage, PageRequest } from "./log.js";
import { Positions } from "./positions.js";
import { WordSplitter } from "./words.js";

const MAX_LIMIT = 1000;

/** Validates the limit of a page request. */
export function pageLimit(page: PageRequest, most = MAX_LIMIT): number {
  const { limit = 50 } = page;
  if (!Number.isInteger(limit) || limit < 1 || limit > most) {
    throw new EventLogError("invalid", `"limit" must be a whole number from 1 to ${most}.`);
  }
  return limit;
}

/** Validates the cursor of a page request. */
export function pageCursor(page: PageRequest): string | undefined {
  if (page.cursor !== undefined && !isEventId(page.cursor)) {
    throw new EventLogError("invalid", `"cursor" is not valid; use the "next" value of an earlier page.`);
  }
  return page.cursor;
}

/** Builds a page from up to `limit + 1` rows. */
export function toPage(rows: Row[], limit: number): EventPage {
  const events = rows.slice(0, limit).map(toNode);
  return { events, next: rows.length > limit ? (events.at(-1)?.id ?? null) : null };
}

/** Queries that are answered directly from an index. */
export class EventReader {
  readonly positions: Positions;
  readonly words = new WordSplitter();

  constructor(private readonly db: Database) {
    this.positions = new Positions(db);
  }

  close(): void {
    this.words.close();
  }

  get(id: string): EventNode | null {
    const row = this.row(id);
    return row ? toNode(row) : null;
  }

  /** Root events, from their index and, beyond `indexed`, from the events themselves. */
  roots(page: PageRequest, indexed: number): EventPage {
    const limit = pageLimit(page);
    const before = this.positions.firstFrom(pageCursor(page));
    const sql = `SELECT ${columns} FROM (
        SELECT seq FROM nodes WHERE seq > ?1 AND seq < ?2 AND parent IS NULL
        UNION ALL SELECT seq FROM roots WHERE seq <= ?1 AND seq < ?2 ORDER BY seq DESC LIMIT ?3
      ) c JOIN nodes n ON n.seq = c.seq ORDER BY c.seq DESC`;
    return toPage(this.rows(sql, [indexed, before, limit + 1]), limit);
  }

  children(id: string, page: PageRequest): EventPage {
    const limit = pageLimit(page);
    return toPage(this.childrenAfter(id, this.positions.lastUpTo(pageCursor(page) ?? ""), limit + 1), limit);
  }

  /** The children of `id` after row number `seq`. */
  childrenAfter(id: string, seq: number, limit: number): Row[] {
    const sql = `SELECT ${columns} FROM nodes n WHERE n.parent = ? AND n.seq > ? ORDER BY n.seq LIMIT ?`;
    return this.rows(sql, [id, seq, limit]);
  }

  /** The row of one event. */
  row(id: string): Row | undefined {
    const seq = this.positions.of(id);
    return seq === undefined
      ? undefined
      : this.rows(`SELECT ${columns} FROM nodes n WHERE n.seq = ?`, [seq])[0];
  }

  orphans(page: PageRequest, pruned: string): EventPage {
    const limit = pageLimit(page);
    const cursor = pageCursor(page);
    const last = cursor === undefined ? undefined : this.row(cursor);
    if (cursor !== undefined && !last?.parent) return { events: [], next: null };
    const [parent, seq] = last?.parent ? [last.parent, last.seq] : [pruned, Number.MAX_SAFE_INTEGER];
    const sql = `SELECT ${columns} FROM nodes n WHERE n.parent <= ? AND (n.parent, n.seq) < (?, ?)
      ORDER BY n.parent DESC, n.seq DESC LIMIT ?`;
    return toPage(this.rows(sql, [pruned, parent, seq, limit + 1]), limit);
  }

  /** Reads forward from a position. Stops after `bytes`, but returns at least one event if there is one. */
  after(position: string, upTo: number, events: number, bytes: number): EventNode[] {
    const sql = `SELECT ${columns} FROM nodes n WHERE n.seq > ? AND n.seq <= ? ORDER BY n.seq LIMIT ?`;
    const statement = this.db.query<Row, SQLQueryBindings[]>(sql);
    const found: EventNode[] = [];
    let size = 0;
    for (const row of statement.iterate(this.positions.lastUpTo(position), upTo, events)) {
      found.push(toNode(row));
      size += row.content.length + (row.extra?.length ?? 0) + 400;
      if (size >= bytes) break;
    }
    return found;
  }

  /** Counts events of the 100 most frequent types or sources. */
  tally(column: "type" | "source", indexed: number): Record<string, number> {
    const sql = `SELECT name, sum(n) AS n FROM (
        SELECT name, n FROM tallies WHERE kind = '${column}'
        UNION ALL SELECT ${column}, count(*) FROM nodes WHERE seq > ? GROUP BY ${column}
      ) GROUP BY name ORDER BY 2 DESC, name LIMIT 100`;
    const rows = this.db.query<{ name: string; n: number }, [number]>(sql).all(indexed);
    return Object.fromEntries(rows.map(({ name, n }) => [name, n]));
  }

  /** Runs a cached statement that returns rows. */
  rows(sql: string, values: SQLQueryBindings[]): Row[] {
    return this.db.query<Row, SQLQueryBindings[]>(sql).all(...values);
  }
}
