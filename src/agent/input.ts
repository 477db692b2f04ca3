/** Coerces and validates the input of tools. */

import { isObject } from "../core/objects.js";
import type { Json } from "../core/types.js";
import { assertFits } from "../core/validate/json-schema.js";

type Schema = Record<string, unknown>;

/**
 * Converts numbers and booleans given as text, and vice versa, where the schema expects it; everything else is
 * unchanged.
 *
 * @example
 * coerce({ limit: "5" }, { properties: { limit: { type: "integer" } } }); // { limit: 5 }
 */
export function coerce(value: unknown, schema: unknown): unknown {
  if (!isObject(schema)) return value;
  const { type } = schema;
  if (typeof value === "string") {
    const number = value.trim() === "" ? Number.NaN : Number(value);
    if (type === "number" && Number.isFinite(number)) return number;
    if (type === "integer" && Number.isInteger(number)) return number;
    if (type === "boolean" && (value === "true" || value === "false")) return value === "true";
    return value;
  }
  if (type === "string" && (typeof value === "number" || typeof value === "boolean")) return String(value);
  if (type === "array" && Array.isArray(value)) return value.map((item) => coerce(item, schema.items));
  if (isObject(value) && isObject(schema.properties)) {
    const { properties } = schema;
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [
        key,
        Object.hasOwn(properties, key) ? coerce(item, properties[key]) : item,
      ]),
    );
  }
  return value;
}

/** Coerces and validates a tool's input. Rejects with a `BAD_REQUEST` that names each invalid field. */
export async function readInput(tool: string, schema: Schema, input: unknown): Promise<Json> {
  const value = coerce(input ?? {}, schema);
  await assertFits(schema, value, `invalid input for "${tool}"`);
  return value;
}
