import type { SQLQueryBindings } from "bun:sqlite";
import { columns } from "./database.js";
import { EventLogError } from "./errors.js";
import { positionBefore } from "./ids.js";
import type { EventPage, EventQuery } from "./log.js";
import { type EventReader, pageCursor, pageLimit, toPage } from "./reader.js";

/** Events that one search looks at when several conditions have to be met at once. */
const budget = 5000;
const maxWords = 16;
const maxTextLength = 1000;

/** A statement that yields the row numbers that meet one condition, newest first, from its index. */
interface Driver {
  sql: string;
  values: SQLQueryBindings[];
}

/** Milliseconds since 1970 of an ISO 8601 time. */
export function parseTime(value: string, field: string): number {
  const time = /^\d{4}-\d\d-\d\d/.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(time)) {
    throw new EventLogError("invalid", `"${field}" is not a time such as 2026-01-31T12:00:00Z.`);
  }
  return time;
}

/** Makes a full-text expression of what people type: words that all occur. Nothing in it is an operator. */
function toMatch(text: string): string | null {
  const words = text.match(/[\p{L}\p{N}\p{M}\p{Co}]+/gu) ?? [];
  if (words.length > maxWords || text.length > maxTextLength) {
    throw new EventLogError(
      "invalid",
      `A text search takes at most ${maxWords} words and ${maxTextLength} characters.`,
    );
  }
  return words.length > 0 ? words.map((word) => `"${word}" *`).join(" AND ") : null;
}

function driver(match: string | undefined, query: EventQuery): Driver {
  const tail = "ORDER BY seq DESC LIMIT ? OFFSET ?";
  if (match !== undefined) {
    const sql = `SELECT rowid AS seq FROM words WHERE words MATCH ? AND rowid < ? AND rowid >= ? ${tail}`;
    return { sql: sql.replace("ORDER BY seq", "ORDER BY rowid"), values: [match] };
  }
  for (const column of ["source", "type"] as const) {
    const value = query[column];
    if (value === undefined) continue;
    return {
      sql: `SELECT seq FROM nodes WHERE ${column} = ? AND seq < ? AND seq >= ? ${tail}`,
      values: [value],
    };
  }
  return { sql: `SELECT seq FROM nodes WHERE seq < ? AND seq >= ? ${tail}`, values: [] };
}

/**
 * Searches newest first. One condition is answered from its index; further ones are checked on what that
 * yields, on a bounded number of events a page, after which the page ends with a cursor to go on.
 */
export function search(reader: EventReader, query: EventQuery): EventPage {
  const limit = pageLimit(query);
  let before = reader.firstFrom(pageCursor(query));
  if (query.until !== undefined) {
    before = Math.min(before, reader.firstFrom(positionBefore(parseTime(query.until, "until"))));
  }
  const from =
    query.since === undefined ? 0 : reader.firstFrom(positionBefore(parseTime(query.since, "since")));
  const match = query.text === undefined ? undefined : toMatch(query.text);
  if (match === null) return { events: [], next: null };

  const { sql: candidates, values } = driver(match, query);
  const checks: string[] = [];
  const checked: SQLQueryBindings[] = [];
  for (const column of ["source", "type"] as const) {
    const value = query[column];
    if (value === undefined || candidates.includes(`${column} = ?`)) continue;
    checks.push(`AND n.${column} = ?`);
    checked.push(value);
  }

  const join = (rest: string) =>
    `SELECT ${columns} FROM (${candidates}) c JOIN nodes n ON n.seq = c.seq ${rest} ORDER BY n.seq DESC LIMIT ?`;
  const looked = checks.length > 0 ? budget : limit + 1;
  const found = reader.rows(join(`WHERE 1 ${checks.join(" ")}`), [
    ...values,
    before,
    from,
    looked,
    0,
    ...checked,
    limit + 1,
  ]);
  const page = toPage(found, limit);
  if (page.next === null && checks.length > 0) {
    const [lastLookedAt] = reader.rows(join(""), [...values, before, from, 1, budget - 1, 1]);
    page.next = lastLookedAt?.id ?? null;
  }
  return page;
}
