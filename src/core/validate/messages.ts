/** Describes validation errors for people. */
import type { TSchema } from "@sinclair/typebox";
import { type ValueError, ValueErrorType } from "@sinclair/typebox/errors";
import { hasSecretName } from "../redact.js";

/** The maximum number of problems reported; more would obscure the first ones. */
const MAX_PROBLEMS = 3;
const MAX_NAME = 60;

/** Marks an array schema whose `uniqueItems` is checked later. */
export const UNIQUE_LATER = Symbol("uniqueItems");

/** Describes the first problems, one per field, joined with `; `. `what` refers to the value as a whole. */
export function problemsOf(errors: Iterable<ValueError>, what: string): string {
  const byPath = new Map<string, string>();
  let parent = "";
  for (const error of errors) {
    if (byPath.has(error.path)) continue;
    // An empty object fails as a whole as well; the missing fields say more.
    if (error.type === ValueErrorType.ObjectRequiredProperty) byPath.delete(parent);
    byPath.set(error.path, problemOf(error, what));
    if (byPath.size > MAX_PROBLEMS) break;
    parent = error.path.slice(0, error.path.lastIndexOf("/"));
  }
  return [...byPath.values()].slice(0, MAX_PROBLEMS).join("; ");
}

function problemOf({ type, path, schema, value }: ValueError, what: string): string {
  const field = path === "" ? what : fieldNameOf(path);
  if (type === ValueErrorType.ObjectAdditionalProperties) {
    const known = Object.keys(schema.properties ?? {}).join(", ");
    return `${field} is not a known field; known: ${known}`;
  }
  const expected = expectationOf(schema);
  if (type === ValueErrorType.ObjectRequiredProperty) return `${field} is required: ${expected}`;
  return `${field} must be ${expected}, not ${isSecret(path, schema) ? kindOf(value, schema) : shown(value)}`;
}

/**
 * Whether a value must not be repeated: replies are logged and passed on, and a mistyped token is still a
 * token.
 */
function isSecret(path: string, schema: TSchema): boolean {
  return schema.writeOnly === true || hasSecretName(path);
}

/** Describes the kind of a secret value. Numbers where numbers are expected are not secret, whatever the name. */
function kindOf(value: unknown, { type, writeOnly }: TSchema): string {
  if (typeof value === "string") return textOf(value);
  const isCount = !writeOnly && (type === "number" || type === "integer");
  return typeof value === "number" && !isCount ? "a number" : shown(value);
}

const textOf = (value: string) => `a string of ${value.length} characters`;

/** `/tags/0/name` as `tags[0].name`. */
function fieldNameOf(path: string): string {
  const segments = path
    .slice(1)
    .split("/")
    .map((segment) => segment.replaceAll("~1", "/").replaceAll("~0", "~"));
  const name = segments
    .map((segment, index) => {
      if (/^\d+$/.test(segment)) return `[${segment}]`;
      return index === 0 ? segment : `.${segment}`;
    })
    .join("");
  return name.length > MAX_NAME ? `${name.slice(0, MAX_NAME)}…` : name;
}

function shown(value: unknown): string {
  if (value === null || typeof value === "boolean" || typeof value === "number") return String(value);
  if (Array.isArray(value))
    return value.length === 1 ? "an array of 1 item" : `an array of ${value.length} items`;
  if (value === undefined) return "missing";
  if (typeof value !== "string") return Object.keys(value).length > 0 ? "an object" : "an empty object";
  return value.length > MAX_NAME ? textOf(value) : JSON.stringify(value);
}

/** What a schema accepts, to follow "must be". */
function expectationOf(schema: TSchema): string {
  if ("const" in schema) return JSON.stringify(schema.const);
  if (Array.isArray(schema.anyOf)) return alternatives(schema.anyOf);
  switch (schema.type) {
    case "string":
      return `a string${range(schema.minLength, schema.maxLength, "character")}${patternOf(schema)}`;
    case "integer":
      return `a whole number${bounds(schema)}`;
    case "number":
      return `a number${bounds(schema)}`;
    case "boolean":
      return "true or false";
    case "null":
      return "null";
    case "array":
      return `an array${range(schema.minItems, schema.maxItems, "item")}${isUnique(schema) ? " without duplicates" : ""}`;
    case "object":
      return schema.minProperties
        ? `an object with at least ${schema.minProperties} of: ${Object.keys(schema.properties ?? {}).join(", ")}`
        : "an object";
    default:
      return "of another type";
  }
}

const isUnique = (schema: TSchema & { [UNIQUE_LATER]?: boolean }) =>
  schema.uniqueItems || schema[UNIQUE_LATER];

function alternatives(schemas: TSchema[]): string {
  const words = schemas.map(expectationOf);
  if (words.length === 2) return words.join(" or ");
  return `one of ${words.join(", ")}`;
}

function patternOf(schema: TSchema): string {
  if (schema.pattern === undefined)
    return schema.format === undefined ? "" : ` in the format ${schema.format}`;
  return schema.pattern === "\\S" ? " that is not blank" : ` that matches ${schema.pattern}`;
}

function range(least: number | undefined, most: number | undefined, unit: string): string {
  if (least !== undefined && most !== undefined) return ` of ${least} to ${most} ${unit}s`;
  if (least !== undefined) return ` of at least ${least} ${unit}${least === 1 ? "" : "s"}`;
  if (most !== undefined) return ` of at most ${most} ${unit}${most === 1 ? "" : "s"}`;
  return "";
}

function bounds({ minimum, maximum }: TSchema): string {
  if (minimum !== undefined && maximum !== undefined) return ` from ${minimum} to ${maximum}`;
  if (minimum !== undefined) return ` of at least ${minimum}`;
  return maximum === undefined ? "" : ` of at most ${maximum}`;
}
