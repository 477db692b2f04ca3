import { currentCause } from "../causality.js";
import { EventLogError } from "./errors.js";
import { isEventId } from "./ids.js";
import type { EventInput, JsonValue } from "./log.js";

export const maxNameLength = 200;
export const maxContentBytes = 64 * 1024;
export const maxExtraBytes = 64 * 1024;
const maxDepth = 32;

/** An event that is ready to be stored. */
export interface Draft {
  parentId: string | null;
  /** The parent was found by the causality rule, not named by the publisher. */
  implied: boolean;
  type: string;
  source: string;
  content: string;
  extra: Record<string, JsonValue>;
  /** `extra` as JSON, or null when there is none. */
  extraJson: string | null;
  /** Roughly what it costs to keep, in bytes. */
  size: number;
}

const given = new Set(["type", "source", "content", "parentId"]);
const taken = new Set(["id", "nodeId", "time"]);

function invalid(message: string): EventLogError {
  return new EventLogError("invalid", message);
}

function name(input: EventInput, field: "type" | "source"): string {
  const value = input[field];
  if (typeof value !== "string") throw invalid(`An event needs "${field}", a string.`);
  if (!value.trim()) throw invalid(`The "${field}" of an event must not be empty.`);
  if (value.length > maxNameLength) {
    throw invalid(
      `The "${field}" of an event must have at most ${maxNameLength} characters, not ${value.length}.`,
    );
  }
  return value.toWellFormed();
}

function toJson(value: unknown, path: string, depth: number): JsonValue | undefined {
  if (depth > maxDepth) throw invalid(`"${path}" is nested more than ${maxDepth} levels deep.`);
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

/** Sets a field under any name, `__proto__` included. */
function setField(target: Record<string, JsonValue>, key: string, value: JsonValue): void {
  if (key === "__proto__") {
    Object.defineProperty(target, key, { value, enumerable: true, writable: true, configurable: true });
  } else target[key.toWellFormed()] = value;
}

/** Checks what was published and copies it, so that later changes by the publisher have no effect. */
export function draft(input: EventInput): Draft {
  if (typeof input !== "object" || input === null || Array.isArray(input)) {
    throw invalid("An event must be an object with type, source and content.");
  }
  const type = name(input, "type");
  const source = name(input, "source");
  if (typeof input.content !== "string") throw invalid('An event needs "content", a string.');
  const content = input.content.toWellFormed();
  const contentBytes = Buffer.byteLength(content);
  if (contentBytes > maxContentBytes) {
    throw invalid(
      `The "content" of an event is limited to ${maxContentBytes} bytes; this one has ${contentBytes}.`,
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
    if (given.has(key)) continue;
    if (taken.has(key))
      throw invalid(`"${key}" is reserved for the event tree; use another name for the field.`);
    const json = toJson(input[key], key, 0);
    if (json === undefined) continue;
    setField(extra, key, json);
    any = true;
  }
  if (any) extraJson = JSON.stringify(extra);
  const extraBytes = extraJson === null ? 0 : Buffer.byteLength(extraJson);
  if (extraBytes > maxExtraBytes) {
    throw invalid(
      `The other fields of an event are limited to ${maxExtraBytes} bytes of JSON; these have ${extraBytes}.`,
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
