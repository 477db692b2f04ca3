/** Bounds the cost of validating values. */
import { isQuick } from "./pattern-bounds.js";

/** Formats that are checked in one fast pass. */
const QUICK_FORMATS = new Set(["date", "date-time", "time", "duration", "hostname", "ipv4", "ipv6", "uuid"]);

/** Keywords that compare each value with a list. */
const LISTS = ["enum", "const", "required", "dependentRequired", "dependencies"] as const;

/** How many characters of a list cost as much as one schema. */
const LISTED = 16;

/** The maximum cost of a cheap schema, in schemas applied to one value. */
const MAX_COST = 100;

/**
 * The maximum size of a value, in characters and nested values, for validation in the server. At both limits it
 * takes a tenth of a second.
 */
export const MAX_SIZE = 10_000;

/**
 * Whether validation takes time linear in the value. `parts` are the schema and all its subschemas. References
 * can apply schemas to one value any number of times; the other excluded keywords take quadratic time or worse.
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

/** Whether a value exceeds {@link MAX_SIZE}; never true if its JSON is shorter than that. */
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
