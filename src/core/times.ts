/** Parses times given by callers. */

/** Stricter than `Date.parse`, which accepts any number as a year, and much else. */
const ISO_8601 = /^(\d{4}-\d\d-\d\d)(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?$/i;

/**
 * Parses an ISO 8601 date or time into milliseconds since 1970; undefined when it is invalid, such as February
 * 30th.
 *
 * @example
 * parseTime("2026-01-31T12:00:00Z"); // 1769860800000
 * parseTime("2026-02-30"); // undefined
 */
export function parseTime(text: string): number | undefined {
  const day = ISO_8601.exec(text)?.[1];
  const time = day === undefined ? Number.NaN : Date.parse(text);
  if (Number.isNaN(time)) return undefined;
  // Date.parse turns the 31st of a shorter month into a day of the next one.
  return new Date(`${day}T00:00Z`).toISOString().startsWith(`${day}T`) ? time : undefined;
}
