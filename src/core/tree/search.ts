/** Full-text and filtered search. */
import type { SQLQueryBindings } from "bun:sqlite";
import { parseTime } from "../times.js";
import { columns } from "./database.js";
import { EventLogError } from "./errors.js";
import { isEventId, positionBefore } from "./ids.js";
import type { EventPage, EventQuery } from "./log.js";
import { type EventReader, pageCursor, pageLimit, toPage } from "./reader.js";

/** The number of events that a search examines when several criteria are combined. */
const MAX_CANDIDATES = 5000;
const MAX_WORDS = 16;
const MAX_TEXT_LENGTH = 1000;

/** Parses a time in a query; see {@link parseTime}. */
export function timeOf(value: string, field: string): number {
  const time = parseTime(value);
  if (time !== undefined) return time;
  throw new EventLogError("invalid", `"${field}" must be a time such as 2026-01-31T12:00:00Z.`);
}

/**
 * Converts user input into a full-text query: all words must occur; a trailing `*` matches prefixes. Nothing
 * else is an operator.
 */
function toMatch(text: string, reader: EventReader): string | null {
  const words = text.match(/[\p{L}\p{N}\p{M}\p{Co}]+\*?/gu) ?? [];
  if (words.length > MAX_WORDS || text.length > MAX_TEXT_LENGTH) {
    throw new EventLogError(
      "invalid",
      `A text search takes at most ${MAX_WORDS} words and ${MAX_TEXT_LENGTH} characters.`,
    );
  }
  const terms = words.flatMap((word) => {
    const pieces = reader.words.split(word).map((piece) => `"${piece}"`);
    return word.endsWith("*") && pieces.length > 0 ? [...pieces.slice(0, -1), `${pieces.at(-1)} *`] : pieces;
  });
  return terms.length > 0 ? terms.join(" AND ") : null;
}

/**
 * Selects the index that answers one criterion, newest first. For `type` and `source`, unindexed events are
 * scanned too.
 */
function candidates(match: string | undefined, query: EventQuery, indexed: number): Candidates {
  if (match !== undefined) {
    const sql =
      "SELECT rowid AS seq FROM words WHERE words MATCH ? AND rowid < ? AND rowid >= ? ORDER BY rowid DESC";
    return { meets: "text", sql, values: (before, from) => [match, before, from] };
  }
  for (const column of ["source", "type"] as const) {
    const value = query[column];
    if (value === undefined) continue;
    const sql = `SELECT seq FROM nodes WHERE seq > ? AND ${column} = ? AND seq < ? AND seq >= ?
      UNION ALL SELECT seq FROM by_${column} WHERE ${column} = ? AND seq < ? AND seq >= ? ORDER BY seq DESC`;
    return {
      meets: column,
      sql,
      values: (before, from) => [indexed, value, before, from, value, Math.min(before, indexed + 1), from],
    };
  }
  const sql = "SELECT seq FROM nodes WHERE seq < ? AND seq >= ? ORDER BY seq DESC";
  return { meets: null, sql, values: (before, from) => [before, from] };
}

/** The row number of the first event after an event, or at or after a time. */
function firstSince(reader: EventReader, since: string): number {
  if (isEventId(since)) return reader.positions.lastUpTo(since) + 1;
  return reader.positions.firstFrom(positionBefore(timeOf(since, "since")));
}

interface Candidates {
  /** The criterion that all candidates meet. */
  meets: "text" | "source" | "type" | null;
  sql: string;
  values(before: number, from: number): SQLQueryBindings[];
}

/**
 * Searches, newest first. One criterion is answered from its index; the others are checked on a bounded number
 * of candidates per page, after which the page ends with a cursor.
 */
export function search(reader: EventReader, query: EventQuery, indexed: number): EventPage {
  const limit = pageLimit(query);
  let before = reader.positions.firstFrom(pageCursor(query));
  if (query.until !== undefined) {
    before = Math.min(before, reader.positions.firstFrom(positionBefore(timeOf(query.until, "until"))));
  }
  const from = query.since === undefined ? 0 : firstSince(reader, query.since);
  const match = query.text === undefined ? undefined : toMatch(query.text, reader);
  if (match === null) return { events: [], next: null };

  const { meets, sql, values } = candidates(match, query, indexed);
  const checks: string[] = [];
  const checked: SQLQueryBindings[] = [];
  for (const column of ["source", "type"] as const) {
    const value = query[column];
    if (value === undefined || column === meets) continue;
    checks.push(`n.${column} = ?`);
    checked.push(value);
  }

  const join = (window: string, rest = "") =>
    `SELECT ${columns} FROM (${sql} ${window}) c JOIN nodes n ON n.seq = c.seq ${rest} ORDER BY c.seq DESC`;
  if (checks.length === 0) {
    return toPage(reader.rows(join("LIMIT ?"), [...values(before, from), limit + 1]), limit);
  }
  const filtered = join("LIMIT ?", `WHERE ${checks.join(" AND ")}`);
  const rows = reader.rows(`${filtered} LIMIT ?`, [
    ...values(before, from),
    MAX_CANDIDATES,
    ...checked,
    limit + 1,
  ]);
  const page = toPage(rows, limit);
  const [lastLookedAt] = page.next
    ? []
    : reader.rows(join("LIMIT 1 OFFSET ?"), [...values(before, from), MAX_CANDIDATES - 1]);
  return { events: page.events, next: page.next ?? lastLookedAt?.id ?? null };
}
