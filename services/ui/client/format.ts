/** Times and numbers as people read them. */
const UNITS: Array<[limit: number, seconds: number, unit: string]> = [
  [60, 1, "s"],
  [3600, 60, "min"],
  [86_400, 3600, "h"],
  [Number.POSITIVE_INFINITY, 86_400, "d"],
];

/** `"4 s"`, `"3 min"`, `"2 h"`, `"5 d"`; never negative. */
export function duration(ms: number): string {
  const seconds = Math.max(0, ms / 1000);
  const [, size, unit] = UNITS.find(([limit]) => seconds < limit) ?? [0, 1, "s"];
  return `${Math.floor(seconds / size)} ${unit}`;
}

/** How long ago a time of the wire was, or `"–"` when there is none. */
export function ago(time: string | undefined, now: number): string {
  const at = time === undefined ? Number.NaN : Date.parse(time);
  return Number.isNaN(at) ? "–" : duration(now - at);
}

/** `"14:03:22"` in the reader's time zone; with the date when it is not today's. */
export function clock(time: string, now = new Date()): string {
  const at = new Date(time);
  if (Number.isNaN(at.getTime())) return "–";
  const text = at.toLocaleTimeString([], { hour12: false });
  return at.toDateString() === now.toDateString() ? text : `${at.toLocaleDateString()} ${text}`;
}

/** Milliseconds with as many digits as they are worth. */
export function millis(ms: number): string {
  if (ms >= 1000) return `${(ms / 1000).toFixed(1)} s`;
  return ms >= 10 ? `${Math.round(ms)} ms` : `${ms.toFixed(ms >= 1 ? 1 : 2)} ms`;
}

/** The first characters of a digest. */
export const short = (digest: string | undefined): string => digest?.slice(0, 8) ?? "–";
