/** An object as JSON has them. */
export type JsonObject = Record<string, unknown>;

/** Whether a value is an object, and no list. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * The members of an object that can be read, as they are now; none of anything else. What others wrote may throw when it
 * is read: that costs the member, of which `failed` hears.
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
    // A proxy that refuses, or was revoked: nothing of it can be read.
    return [];
  }
}
