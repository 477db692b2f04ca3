/** Validates events that are published. */
import { currentCause } from "../causality.js";
import { EventLogError } from "./errors.js";
import { isEventId } from "./ids.js";
import type { EventInput, JsonValue } from "./log.js";

/** The maximum length of `type` and `source`, in characters. */
const MAX_NAME_LENGTH = 200;
/** The maximum size of `content`, in bytes of UTF-8. */
const MAX_CONTENT_BYTES = 64 * 1024;
/** The maximum size of all further fields together, in bytes of JSON. */
const MAX_EXTRA_BYTES = 64 * 1024;
const MAX_DEPTH = 32;

/** A validated event. */
export interface Draft {
  parentId: string | null;
  /** Whether the parent is the current cause rather than given explicitly. */
  implied: boolean;
  type: string;
  source: string;
  content: string;
  extra: Record<string, JsonValue>;
  /** `extra` as JSON, or null when there is none. */
  extraJson: string | null;
  /** The approximate size in bytes. */
  size: number;
}

const KNOWN_FIELDS = new Set(["type", "source", "content", "parentId"]);
const RESERVED_FIELDS = new Set(["id", "nodeId", "time"]);

function invalid(message: string): EventLogError {
  return new EventLogError("invalid", message);
}

function name(input: EventInput, field: "type" | "source"): string {
  const value = input[field];
  if (typeof value !== "string") throw invalid(`An event needs "${field}", a string.`);
  if (!value.trim()) throw invalid(`The "${field}" of an event must not be empty.`);
  if (value.length > MAX_NAME_LENGTH) {
    throw invalid(
      `The "${field}" of an event must have at most ${MAX_NAME_LENGTH} characters, not ${value.length}.`,
    );
  }
  return value.toWellFormed();
}

function toJson(value: unknown, path: string, depth: number): JsonValue | undefined {
  if (depth > MAX_DEPTH) throw invalid(`"${path}" is nested more than ${MAX_DEPTH} levels deep.`);
  if (value === null || typeof value === "boolean" || value === undefined) return value;
  if (typeof value === "string") return value.toWellFormed();
  if (typeof value === "number" && Number.isFinite(value)) return value;
  if (Array.isArray(value)) {
    return value.map((item, index) => toJson(item, `${path}[${index}]`, depth + 1) ?? null);
  }
  if (typeof value === "object") {
    if ("toJSON" in value && typeof value.toJSON === "function") {
      return toJson(value.toJSON(), path, depth + 1);
    }
    const prototype = Object.getPrototypeOf(value);
    if (prototype === null || Object.getPrototypeOf(prototype) === null) {
      const copy: Record<string, JsonValue> = {};
      for (const [key, item] of Object.entries(value)) {
        const json = toJson(item, `${path}.${key}`, depth + 1);
        if (json !== undefined) setField(copy, key, json);
      }
      return copy;
    }
  }
  const what = typeof value === "object" ? `a ${value.constructor?.name ?? "object"}` : `${typeof value}`;
  throw invalid(`"${path}" cannot be stored as JSON: it is ${typeof value === "number" ? value : what}.`);
}

/** Sets a field of any name, including `__proto__`. */
function setField(target: Record<string, JsonValue>, key: string, value: JsonValue): void {
  if (key === "__proto__") {
    Object.defineProperty(target, key, { value, enumerable: true, writable: true, configurable: true });
  } else target[key.toWellFormed()] = value;
}

/** Validates and copies an event, so that later changes by the publisher have no effect. */
export function draft(input: EventInput): Draft {
  if (typeof input !== "object" || input === null || Array.isArray(input)) {
    throw invalid("An event must be an object with type, source and content.");
  }
  const type = name(input, "type");
  const source = name(input, "source");
  if (typeof input.content !== "string") throw invalid('An event needs "content", a string.');
  const content = input.content.toWellFormed();
  const contentBytes = Buffer.byteLength(content);
  if (contentBytes > MAX_CONTENT_BYTES) {
    throw invalid(
      `The "content" of an event is limited to ${MAX_CONTENT_BYTES} bytes; this one has ${contentBytes}.`,
    );
  }
  const implied = input.parentId === undefined;
  const cause = implied ? currentCause() : null;
  const parentId = implied ? (isEventId(cause) ? cause : null) : input.parentId;
  if (parentId !== null && !isEventId(parentId)) {
    throw new EventLogError("unknown-parent", `"parentId" is not a valid event id.`);
  }

  const extra: Record<string, JsonValue> = {};
  let any = false;
  let extraJson: string | null = null;
  for (const key of Object.keys(input)) {
    if (KNOWN_FIELDS.has(key)) continue;
    if (RESERVED_FIELDS.has(key))
      throw invalid(`"${key}" is reserved for the event tree; use another name for the field.`);
    const json = toJson(input[key], key, 0);
    if (json === undefined) continue;
    setField(extra, key, json);
    any = true;
  }
  if (any) extraJson = JSON.stringify(extra);
  const extraBytes = extraJson === null ? 0 : Buffer.byteLength(extraJson);
  if (extraBytes > MAX_EXTRA_BYTES) {
    throw invalid(
      `The other fields of an event are limited to ${MAX_EXTRA_BYTES} bytes of JSON; these have ${extraBytes}.`,
    );
  }
  return {
    parentId,
    implied,
    type,
    source,
    content,
    extra,
    extraJson,
    size: contentBytes + extraBytes + 400,
  };
}
