const pattern = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** Whether `value` is written the way event ids are. */
export function isEventId(value: unknown): value is string {
  return typeof value === "string" && pattern.test(value);
}

/** The milliseconds since 1970 that a UUIDv7 begins with. */
export function idTime(id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}

/**
 * The row number that an id carries. Only a hint: ids from elsewhere, and those of the first format of the
 * file, have random digits in its place.
 */
export function idRow(id: string): number {
  return Number.parseInt(id.slice(15, 18) + id.slice(20, 23) + id.slice(24, 30), 16);
}

/**
 * Makes the ids of the rows that are stored together: UUIDv7s whose counter is the row number, so that an
 * event is found by its id without an index of the ids. All are greater than `last`: they carry the time
 * `now`, or when the clock has stepped back that of `last`. Rows must be asked for in rising order.
 */
export function idsAfter(last: string, now: number, firstRow: number): (row: number) => string {
  const time = last ? Math.max(now, idTime(last)) : now;
  const ids = idsAt(time);
  return ids(firstRow) > last ? ids : idsAt(time + 1);
}

/** Row numbers whose first six hexadecimal digits are the same. */
const rowsOfHead = 0x1000000;

function idsAt(time: number): (row: number) => string {
  const stamp = hex(time);
  const random = Math.floor(Math.random() * rowsOfHead)
    .toString(16)
    .padStart(6, "0");
  let high = -1;
  let head = "";
  return (row) => {
    if (Math.floor(row / rowsOfHead) !== high) {
      high = Math.floor(row / rowsOfHead);
      const digits = high.toString(16).padStart(6, "0");
      head = `${stamp.slice(0, 8)}-${stamp.slice(8)}-7${digits.slice(0, 3)}-8${digits.slice(3)}-`;
    }
    return head + (rowsOfHead + (row % rowsOfHead)).toString(16).slice(1) + random;
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
