/** Helpers for JSON objects. */

/** A JSON object. */
export type JsonObject = Record<string, unknown>;

/** Whether a value is an object and not an array. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * The readable members of an object; empty for anything else. Members that throw when they are read are omitted
 * and reported to `failed`.
 *
 * @example
 * readableMembers({ a: 1, get b() { throw new Error("no"); } }); // { a: 1 }
 */
export function readableMembers(
  value: unknown,
  failed: (name: string, error: unknown) => void = () => undefined,
): JsonObject {
  const entries: Array<[string, unknown]> = [];
  for (const name of keysOf(value)) {
    try {
      entries.push([name, (value as JsonObject)[name]]);
    } catch (error) {
      failed(name, error);
    }
  }
  return Object.fromEntries(entries);
}

function keysOf(value: unknown): string[] {
  try {
    return isObject(value) ? Object.keys(value) : [];
  } catch {
    // A proxy that throws, or has been revoked.
    return [];
  }
}
