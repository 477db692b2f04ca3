/** An object as JSON has them. */
export type JsonObject = Record<string, unknown>;

/** Whether a value is an object, and no list. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
