import { isTooDeep, MAX_LEVELS } from "../../core/validate/json-depth.js";

/** Whether JSON is nested in more than {@link MAX_LEVELS} levels. Long texts have few brackets: to count them is quick. */
export function isNestedTooDeeply(json: string): boolean {
  return json.length > 2 * MAX_LEVELS && brackets(json) > MAX_LEVELS && isTooDeep(Buffer.from(json));
}

/** How many open, be they in texts or not; one more than {@link MAX_LEVELS} at most. */
function brackets(json: string): number {
  let count = 0;
  for (const bracket of ["[", "{"]) {
    let at = json.indexOf(bracket);
    for (; at >= 0 && count <= MAX_LEVELS; count++) at = json.indexOf(bracket, at + 1);
  }
  return count;
}
