/** What checking a value against a schema can cost, however the value is made. */
import { isLinear } from "./pattern-bounds.js";

/** Formats whose checks go back and forth in a text, 1 µs or more for each character. */
const SLOW_FORMATS = new Set(["idn-email", "uri", "uri-reference", "iri", "iri-reference", "uri-template"]);

/** Keywords that have each value compared with all that they list. */
const LISTS = ["enum", "const", "required", "dependentRequired", "dependencies"] as const;

/** Characters of such a list that cost as much as a schema. */
const LISTED = 16;

/** Schemas that one value may have to be held against; with 200, a message of 4 MB takes a tenth of a second. */
const MAX_COST = 200;

/**
 * Whether a schema, given as itself and all schemas in it, can be checked in time that grows with the value alone, and
 * not much. References can have one value looked at any number of times, and what else is left out here takes time that
 * grows with the square of the value, and worse.
 */
export function isCheap(parts: readonly unknown[]): boolean {
  let cost = 0;
  for (const part of parts) {
    cost += 1;
    if (typeof part !== "object" || part === null) continue;
    const schema = part as Record<string, unknown>;
    if (schema.$ref !== undefined || schema.patternProperties !== undefined || schema.uniqueItems === true)
      return false;
    if (typeof schema.pattern === "string" && !isLinear(schema.pattern)) return false;
    if (typeof schema.format === "string" && SLOW_FORMATS.has(schema.format)) return false;
    for (const list of LISTS) cost += (JSON.stringify(schema[list])?.length ?? 0) / LISTED;
  }
  return cost <= MAX_COST;
}
