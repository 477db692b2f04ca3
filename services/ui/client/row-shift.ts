/**
 * How many rows further down the first row stands that is still there, of those that were in view: `count`, from
 * `at` on.
 */
export function shiftOf<T>(
  old: readonly T[],
  now: readonly T[],
  keyOf: (item: T) => string,
  at: number,
  count: number,
): number {
  for (const [index, item] of old.slice(at, at + count).entries()) {
    const key = keyOf(item);
    const found = now.findIndex((other) => keyOf(other) === key);
    if (found >= 0) return found - at - index;
  }
  return 0;
}
