import type { TSchema } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { messageOf } from "../core/errors.js";
import { StorageError } from "../core/storage-error.js";
import { assertFormats } from "../core/validate/formats.js";

/** Freezes a value and all that it contains, and returns it. */
export function deepFreeze<T>(value: T): Readonly<T> {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  for (const part of Object.values(value)) deepFreeze(part);
  return Object.freeze(value);
}

/** A promise would be stored as `{}` without a word. */
function refusePromise(value: unknown, what: string): void {
  if (typeof value !== "object" || value === null || !("then" in value)) return;
  const { then } = value;
  if (typeof then !== "function") return;
  const outcome = () => undefined;
  // Where a callback made it, nobody else would handle its rejection.
  Reflect.apply(then, value, [outcome, outcome]);
  throw new TypeError(`${what} is a promise: callbacks must be synchronous and return the value itself`);
}

/** @throws StorageError `STORAGE_SHAPE` when there is no JSON for the value; TypeError when it is a promise. */
export function jsonText(value: unknown, what: string): string {
  refusePromise(value, what);
  let reason: string;
  let cause: unknown;
  try {
    const text: string | undefined = JSON.stringify(value);
    if (text !== undefined) return text;
    reason = `it is ${typeof value}`;
  } catch (error) {
    reason = messageOf(error);
    cause = error;
  }
  throw new StorageError("STORAGE_SHAPE", `${what} cannot be stored as JSON: ${reason}`, { cause });
}

/**
 * The value as it will be when it is read back, deeply frozen: what JSON cannot
 * hold is gone now and not after the next start.
 *
 * @throws StorageError `STORAGE_SHAPE` when there is no JSON for it.
 */
export function asStored<T>(value: T, what: string): Readonly<T> {
  return deepFreeze(JSON.parse(jsonText(value, what)) as T);
}

/** @throws TypeError when the schema has a format that nobody knows. */
export function fits(schema: TSchema, value: unknown): boolean {
  assertFormats(schema);
  return Value.Check(schema, value);
}

/**
 * @throws StorageError `STORAGE_SHAPE` that names the first place where the value misses the schema; TypeError when
 * the schema has a format that nobody knows.
 */
export function checkShape(schema: TSchema | undefined, value: unknown, what: string): void {
  if (!schema || fits(schema, value)) return;
  const first = Value.Errors(schema, value).First();
  const where = first?.path ? ` at ${first.path}` : "";
  throw new StorageError("STORAGE_SHAPE", `${what} does not match its schema${where}: ${first?.message}`);
}
