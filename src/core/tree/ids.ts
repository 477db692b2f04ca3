const pattern = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** Whether `value` is written the way event ids are. */
export function isEventId(value: unknown): value is string {
  return typeof value === "string" && pattern.test(value);
}

/** The milliseconds since 1970 that a UUIDv7 begins with. */
export function idTime(id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}

/** The id after `last`: a UUIDv7 of `now`, or of just after `last` when the clock has stepped back. */
export function nextId(last: string, now: number): string {
  const time = last ? Math.max(now, idTime(last)) : now;
  const id = Bun.randomUUIDv7("hex", time);
  return id > last ? id : Bun.randomUUIDv7("hex", time + 1);
}

/** A position before every id of the given millisecond and after every earlier id. */
export function positionBefore(time: number): string {
  const hex = Math.max(0, Math.min(time, 0xffffffffffff)).toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}
