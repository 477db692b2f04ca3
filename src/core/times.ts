/** Times as callers write them. */

/** `Date.parse` alone takes any number for a year, and much else. */
const ISO_8601 = /^(\d{4}-\d\d-\d\d)(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?$/i;

/** Milliseconds since 1970 of an ISO 8601 date or time; undefined for what is none, such as the 30th of February. */
export function parseTime(text: string): number | undefined {
  const day = ISO_8601.exec(text)?.[1];
  const time = day === undefined ? Number.NaN : Date.parse(text);
  if (Number.isNaN(time)) return undefined;
  // The 31st of a shorter month would be taken for a day of the next one.
  return new Date(`${day}T00:00Z`).toISOString().startsWith(`${day}T`) ? time : undefined;
}
