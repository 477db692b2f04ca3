/** Conversion of values to JSON and validation against schemas. */
import type { TSchema } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { messageOf } from "../core/errors.js";
import { StorageError } from "../core/storage-error.js";
import { assertFormats } from "../core/validate/formats.js";

/** Freezes a value recursively and returns it. */
function deepFreeze<T>(value: T): Readonly<T> {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  for (const part of Object.values(value)) deepFreeze(part);
  return Object.freeze(value);
}

/** Rejects promises, which `JSON.stringify` would silently turn into `{}`. */
function refusePromise(value: unknown, what: string): void {
  if (typeof value !== "object" || value === null || !("then" in value)) return;
  const { then } = value;
  if (typeof then !== "function") return;
  const outcome = () => undefined;
  // The promise may come from a callback, in which case nobody else handles its rejection.
  Reflect.apply(then, value, [outcome, outcome]);
  throw new TypeError(`${what} is a promise: callbacks must be synchronous and return the value itself`);
}

/**
 * Serialises a value; `what` names it in errors.
 *
 * @throws StorageError `STORAGE_SHAPE` when the value has no JSON; TypeError when it is a promise.
 */
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
 * The value as it will be read back, deeply frozen. Whatever JSON cannot represent is dropped now rather than
 * at the next start.
 *
 * @throws StorageError `STORAGE_SHAPE` when the value has no JSON; TypeError when it is a promise.
 */
export function asStored<T>(value: T, what: string): Readonly<T> {
  return deepFreeze(JSON.parse(jsonText(value, what)) as T);
}

/**
 * Whether a value matches a schema.
 *
 * @throws TypeError when the schema uses an unknown format.
 */
export function fits(schema: TSchema, value: unknown): boolean {
  assertFormats(schema);
  return Value.Check(schema, value);
}

/**
 * Throws unless a value matches a schema; `what` names it in errors.
 *
 * @throws StorageError `STORAGE_SHAPE`, naming the first mismatch; TypeError when the schema uses an unknown format.
 */
export function checkShape(schema: TSchema | undefined, value: unknown, what: string): void {
  if (!schema || fits(schema, value)) return;
  const first = Value.Errors(schema, value).First();
  const where = first?.path ? ` at ${first.path}` : "";
  throw new StorageError("STORAGE_SHAPE", `${what} does not match its schema${where}: ${first?.message}`);
}
