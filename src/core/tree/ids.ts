/** Event ids: UUIDv7s whose counter is the row number. */

const pattern = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** Whether `value` has the form of an event id. */
export function isEventId(value: unknown): value is string {
  return typeof value === "string" && pattern.test(value);
}

/** The timestamp of a UUIDv7, in milliseconds since 1970. */
export function idTime(id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}

/** The row number in an id. Only a hint: foreign ids, and those of format 1, have random digits instead. */
export function idRow(id: string): number {
  return Number.parseInt(id.slice(15, 18) + id.slice(20, 23) + id.slice(24, 30), 16);
}

/**
 * Creates the ids of rows stored together: UUIDv7s whose counter is the row number, so that events are found by
 * id without an index. All ids are greater than `last`: their time is `now`, or that of `last` if the clock was
 * set back. Rows must be requested in ascending order.
 */
export function idsAfter(last: string, now: number, firstRow: number): (row: number) => string {
  const time = last ? Math.max(now, idTime(last)) : now;
  const ids = idsAt(time);
  return ids(firstRow) > last ? ids : idsAt(time + 1);
}

/** The number of rows that share the first six hexadecimal digits. */
const ROWS_PER_PREFIX = 0x1000000;

function idsAt(time: number): (row: number) => string {
  const stamp = hex(time);
  const random = Math.floor(Math.random() * ROWS_PER_PREFIX)
    .toString(16)
    .padStart(6, "0");
  let high = -1;
  let head = "";
  return (row) => {
    if (Math.floor(row / ROWS_PER_PREFIX) !== high) {
      high = Math.floor(row / ROWS_PER_PREFIX);
      const digits = high.toString(16).padStart(6, "0");
      head = `${stamp.slice(0, 8)}-${stamp.slice(8)}-7${digits.slice(0, 3)}-8${digits.slice(3)}-`;
    }
    return head + (ROWS_PER_PREFIX + (row % ROWS_PER_PREFIX)).toString(16).slice(1) + random;
  };
}

function hex(time: number): string {
  return Math.max(0, Math.min(time, 0xffffffffffff)).toString(16).padStart(12, "0");
}

/** A position before every id of the given millisecond and after every earlier id. */
export function positionBefore(time: number): string {
  const stamp = hex(time);
  return `${stamp.slice(0, 8)}-${stamp.slice(8)}-7000-8000-000000000000`;
}
