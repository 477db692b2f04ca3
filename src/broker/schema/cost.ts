/** What checking a value against a schema can cost, however the value is made. */
import { isQuick } from "./pattern-bounds.js";

/** Formats whose checks look at a text once, and not for long. */
const QUICK_FORMATS = new Set(["date", "date-time", "time", "duration", "hostname", "ipv4", "ipv6", "uuid"]);

/** Keywords that have each value compared with all that they list. */
const LISTS = ["enum", "const", "required", "dependentRequired", "dependencies"] as const;

/** Characters of such a list that cost as much as a schema. */
const LISTED = 16;

/** Schemas that one value may have to be held against. */
const MAX_COST = 100;

/** Characters and values that a value may consist of. With both at their most, a check takes a tenth of a second. */
export const MAX_SIZE = 10_000;

/**
 * Whether a schema, given as itself and all schemas in it, can be checked in time that grows with the value alone.
 * References can have one value looked at any number of times, and what else is left out here takes time that grows
 * with the square of the value, and worse.
 */
export function isCheap(parts: readonly unknown[]): boolean {
  let cost = 0;
  for (const part of parts) {
    cost += 1;
    if (typeof part !== "object" || part === null) continue;
    const schema = part as Record<string, unknown>;
    if (schema.$ref !== undefined || schema.patternProperties !== undefined || schema.uniqueItems === true)
      return false;
    if (typeof schema.pattern === "string" && !isQuick(schema.pattern)) return false;
    if (typeof schema.format === "string" && !QUICK_FORMATS.has(schema.format)) return false;
    for (const list of LISTS) cost += (JSON.stringify(schema[list])?.length ?? 0) / LISTED;
  }
  return cost <= MAX_COST;
}

/** Whether a value is of more than {@link MAX_SIZE}: never one whose JSON is shorter than that. */
export function isLarge(value: unknown): boolean {
  let left = MAX_SIZE;
  const open = [value];
  for (const one of open) {
    left -= typeof one === "string" ? one.length + 1 : 1;
    if (typeof one === "object" && one !== null) {
      for (const [key, inner] of Object.entries(one)) {
        if (!Array.isArray(one)) left -= key.length;
        open.push(inner);
        if (open.length > MAX_SIZE) return true;
      }
    }
    if (left < 0) return true;
  }
  return false;
}
