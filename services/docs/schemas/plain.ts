/** Values that authors gave, as data that can be sent. */
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
  if (typeof schema !== "object" || schema === null || Array.isArray(schema)) return undefined;
  return plainJson(schema);
}

type Members = Record<string, unknown>;

/** The members of an object; none of anything else. */
export function membersOf(value: unknown): Members {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Members) : {};
}

/** The text, or undefined for what is no text or empty. */
export function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value.trim() !== "" ? value : undefined;
}
