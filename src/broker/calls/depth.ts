/** A fast test for deeply nested JSON. */
import { isTooDeep, MAX_LEVELS } from "../../core/validate/json-depth.js";

/**
 * Whether JSON is nested more than {@link MAX_LEVELS} levels deep. Counting brackets first is fast, since most
 * large messages have few.
 */
export function isNestedTooDeeply(json: string): boolean {
  return json.length > 2 * MAX_LEVELS && brackets(json) > MAX_LEVELS && isTooDeep(Buffer.from(json));
}

/** Counts opening brackets, including those in strings, up to {@link MAX_LEVELS} + 1. */
function brackets(json: string): number {
  let count = 0;
  for (const bracket of ["[", "{"]) {
    let at = json.indexOf(bracket);
    for (; at >= 0 && count <= MAX_LEVELS; count++) at = json.indexOf(bracket, at + 1);
  }
  return count;
}
