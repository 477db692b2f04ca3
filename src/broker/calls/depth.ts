import { isTooDeep, MOST_LEVELS } from "../../core/validate/json-depth.js";

/** Whether JSON is nested in more than {@link MOST_LEVELS} levels. Long texts have few brackets: to count them is quick. */
export function isNestedTooDeeply(json: string): boolean {
  return json.length > 2 * MOST_LEVELS && brackets(json) > MOST_LEVELS && isTooDeep(Buffer.from(json));
}

/** How many open, be they in texts or not; one more than {@link MOST_LEVELS} at most. */
function brackets(json: string): number {
  let count = 0;
  for (const bracket of ["[", "{"]) {
    let at = json.indexOf(bracket);
    for (; at >= 0 && count <= MOST_LEVELS; count++) at = json.indexOf(bracket, at + 1);
  }
  return count;
}
