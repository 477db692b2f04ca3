/** Values that authors gave, as data that can be sent. */
import { isObject, type JsonObject } from "../../../src/core/objects.js";
import type { Json, JsonSchema } from "../../../src/core/types.js";

/** A copy of a value as JSON carries it; undefined when it cannot (functions, cycles, big integers). */
export function plainJson(value: unknown): Json | undefined {
  try {
    const text = JSON.stringify(value);
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    // Cycles and throwing getters: such a value cannot be documented.
    return undefined;
  }
}

/** A schema without what only TypeBox sees; undefined when it is none. */
export function plainSchema(schema: unknown): JsonSchema | undefined {
  return isObject(schema) ? plainJson(schema) : undefined;
}

/** The members of an object; none of anything else. */
export function membersOf(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}

/** The text, or undefined for what is no text or empty. */
export function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value.trim() !== "" ? value : undefined;
}
