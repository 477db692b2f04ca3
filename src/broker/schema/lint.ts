/** Rejects schemas that would not be validated as intended. */
import { isObject, type JsonObject } from "../../core/objects.js";
import { DIALECTS, FORMATS, KEYWORDS, type KeywordShape, TYPES } from "./keywords.js";

/** An invalid schema, with a JSON pointer to the place. */
export class SchemaError extends Error {
  constructor(
    readonly pointer: string,
    problem: string,
  ) {
    super(`${pointer === "" ? "the schema" : pointer}: ${problem}`);
    this.name = "SchemaError";
  }
}

const MAX_DEPTH = 64;
const MAX_NODES = 10_000;
const MAX_LOOKS = 10_000;

interface Walk {
  nodes: number;
  /** All schemas by JSON pointer. */
  byPointer: Map<string, unknown>;
  byAnchor: Map<string, string>;
  refs: { at: string; target: string }[];
  /** Schemas that apply other schemas to the same value: pointer → pointers. */
  sameValue: Map<string, string[]>;
}

const SAME_VALUE = [
  "allOf",
  "anyOf",
  "oneOf",
  "not",
  "if",
  "then",
  "else",
  "dependentSchemas",
  "dependencies",
];

function escapePointer(part: string): string {
  return part.replaceAll("~", "~0").replaceAll("/", "~1");
}

/**
 * Rejects unknown keywords and formats, malformed values, references that are broken, external or circular, and
 * schemas that would be applied to one value excessively often. Returns the schema and all its subschemas.
 */
export function lintSchema(schema: unknown): unknown[] {
  const walk: Walk = { nodes: 0, byPointer: new Map(), byAnchor: new Map(), refs: [], sameValue: new Map() };
  visit(schema, "", 0, walk);
  for (const { at, target } of walk.refs) {
    const pointer = resolve(target, walk);
    if (pointer === undefined)
      throw new SchemaError(`${at}/$ref`, `"${target}" does not exist in this schema`);
    walk.sameValue.get(at)?.push(pointer);
  }
  refuseCircles(walk);
  return [...walk.byPointer.values()];
}

function resolve(target: string, walk: Walk): string | undefined {
  if (!target.startsWith("#")) return undefined;
  let fragment: string;
  try {
    fragment = decodeURIComponent(target.slice(1));
  } catch {
    return undefined;
  }
  const pointer = fragment === "" || fragment.startsWith("/") ? fragment : walk.byAnchor.get(fragment);
  return pointer !== undefined && walk.byPointer.has(pointer) ? pointer : undefined;
}

function refuseCircles(walk: Walk): void {
  /** The number of schemas applied to one value, by pointer of the first. */
  const looks = new Map<string, number | "open">();
  const follow = (pointer: string): number => {
    const known = looks.get(pointer);
    if (known === "open") throw new SchemaError(pointer, "refers to itself without ever reaching a value");
    if (known !== undefined) return known;
    looks.set(pointer, "open");
    let count = 1;
    for (const next of walk.sameValue.get(pointer) ?? []) count += follow(next);
    if (count > MAX_LOOKS) {
      throw new SchemaError(pointer, `would check one value against more than ${MAX_LOOKS} schemas`);
    }
    looks.set(pointer, count);
    return count;
  };
  for (const pointer of walk.sameValue.keys()) follow(pointer);
}

function visit(schema: unknown, at: string, depth: number, walk: Walk): void {
  if (depth > MAX_DEPTH) throw new SchemaError(at, `is nested more than ${MAX_DEPTH} levels deep`);
  if (++walk.nodes > MAX_NODES)
    throw new SchemaError(at, `is part of a schema of more than ${MAX_NODES} parts`);
  walk.byPointer.set(at, schema);
  if (typeof schema === "boolean") return;
  if (!isObject(schema)) throw new SchemaError(at, "must be an object or a boolean");
  walk.sameValue.set(at, []);
  for (const [keyword, value] of Object.entries(schema)) {
    const shape = Object.hasOwn(KEYWORDS, keyword) ? KEYWORDS[keyword] : undefined;
    const spot = `${at}/${escapePointer(keyword)}`;
    if (shape === undefined) {
      if (keyword.startsWith("x-")) continue;
      throw new SchemaError(spot, `the keyword "${keyword}" is not supported`);
    }
    for (const child of checkValue(shape, keyword, value, spot)) {
      if (SAME_VALUE.includes(keyword)) walk.sameValue.get(at)?.push(child.at);
      visit(child.schema, child.at, depth + 1, walk);
    }
  }
  if (typeof schema.$ref === "string") walk.refs.push({ at, target: schema.$ref });
  if (typeof schema.$anchor === "string") walk.byAnchor.set(schema.$anchor, at);
}

interface Child {
  schema: unknown;
  at: string;
}

function checkValue(shape: KeywordShape, keyword: string, value: unknown, at: string): Child[] {
  const need = (ok: boolean, what: string) => {
    if (!ok) throw new SchemaError(at, `must be ${what}`);
  };
  const texts = (list: unknown) => Array.isArray(list) && list.every((one) => typeof one === "string");
  switch (shape) {
    case "any":
      return [];
    case "text":
    case "ref":
      need(typeof value === "string", "a text");
      if (keyword === "$schema" && !DIALECTS.some((known) => known.test(value as string))) {
        throw new SchemaError(at, "names a dialect other than draft-07 and 2020-12");
      }
      return [];
    case "pattern":
      need(typeof value === "string", "a regular expression");
      refuseBadPattern(value as string, at);
      return [];
    case "format":
      if (!FORMATS.includes(value as string))
        throw new SchemaError(at, `the format "${value}" is not supported`);
      return [];
    case "number":
      need(typeof value === "number" && Number.isFinite(value), "a number");
      need(keyword !== "multipleOf" || (value as number) > 0, "greater than 0");
      return [];
    case "count":
      need(Number.isInteger(value) && (value as number) >= 0, "a whole number of at least 0");
      return [];
    case "boolean":
      need(typeof value === "boolean", "true or false");
      return [];
    case "list":
      need(Array.isArray(value), "a list");
      return [];
    case "texts":
      need(texts(value), "a list of strings");
      refuseInherited(value as string[], at);
      return [];
    case "text-lists":
      need(isObject(value) && Object.values(value).every(texts), "an object of lists of strings");
      for (const [name, list] of Object.entries(value as JsonObject))
        refuseInherited([name, ...(list as string[])], at);
      return [];
    case "type": {
      const types = Array.isArray(value) ? value : [value];
      need(
        types.length > 0 && types.every((type) => TYPES.includes(type as string)),
        `of ${TYPES.join(", ")}`,
      );
      return [];
    }
    default:
      return childrenOf(shape, keyword, value, at, need);
  }
}

function childrenOf(
  shape: "schema" | "schemas" | "schema-map" | "schema-or-schemas" | "dependencies",
  keyword: string,
  value: unknown,
  at: string,
  need: (ok: boolean, what: string) => void,
): Child[] {
  if (shape === "schema") return [{ schema: value, at }];
  if (shape === "schemas" || (shape === "schema-or-schemas" && Array.isArray(value))) {
    need(Array.isArray(value) && (value.length > 0 || shape !== "schemas"), "a list of schemas");
    return (value as unknown[]).map((schema, index) => ({ schema, at: `${at}/${index}` }));
  }
  if (shape === "schema-or-schemas") return [{ schema: value, at }];
  need(isObject(value), "an object");
  return Object.entries(value as JsonObject).flatMap(([name, schema]) => {
    const spot = `${at}/${escapePointer(name)}`;
    if (keyword === "patternProperties") refuseBadPattern(name, spot);
    if (shape !== "dependencies" || !Array.isArray(schema)) return [{ schema, at: spot }];
    if (schema.some((one) => typeof one !== "string"))
      throw new SchemaError(spot, "must list property names");
    return [];
  });
}

/** The validator cannot distinguish such names from inherited properties. */
function refuseInherited(names: readonly string[], at: string): void {
  const name = names.find((one) => one in Object.prototype);
  if (name !== undefined) throw new SchemaError(at, `"${name}" is a built-in property of every object`);
}

function refuseBadPattern(source: string, at: string): void {
  try {
    new RegExp(source, "u");
  } catch {
    throw new SchemaError(at, "is not a regular expression");
  }
  if (repeatsRepetition(source)) {
    throw new SchemaError(at, "repeats a part that itself repeats, which can take unbounded time to check");
  }
}

/** Whether an unbounded repetition contains another, the usual cause of catastrophic backtracking. */
function repeatsRepetition(source: string): boolean {
  const open: boolean[] = [];
  let inner = false;
  let inClass = false;
  for (let index = 0; index < source.length; index++) {
    const character = source[index];
    if (character === "\\") index++;
    else if (inClass) inClass = character !== "]";
    else if (character === "[") inClass = true;
    else if (character === "(") {
      open.push(inner);
      inner = false;
    } else if (character === ")") {
      const repeated = unboundedAt(source, index + 1);
      if (repeated && inner) return true;
      inner = (open.pop() ?? false) || inner || repeated;
    } else if (unboundedAt(source, index) && source[index - 1] !== ")" && source[index - 1] !== "(")
      inner = true;
  }
  return false;
}

function unboundedAt(source: string, index: number): boolean {
  return /^(?:[*+]|\{\d+,\})/.test(source.slice(index, index + 12));
}
