/** Converts tool schemas into a form that model providers accept. */
import { isObject } from "../objects.js";

type Schema = Record<string, unknown>;

/**
 * Top-level keywords that model providers reject, together with every request that contains the tool. They also
 * reject tools without properties.
 */
const REFUSED = ["allOf", "anyOf", "oneOf", "not", "enum", "const", "if", "then", "else", "$ref"];

/**
 * Replaces top-level alternatives of a tool's schema by the union of their properties. Everything that matches
 * the original schema matches the result; the tool itself rejects the rest.
 *
 * @example
 * modelSchema({ type: "object", anyOf: [{ properties: { a: {} } }, { properties: { b: {} } }] });
 * // { type: "object", properties: { a: {}, b: {} } }
 */
export function modelSchema(schema: Schema): Schema {
  if (!REFUSED.some((keyword) => keyword in schema)) return { properties: {}, ...schema };
  const { properties, required } = membersOf(schema, { root: schema, left: MAX_SIZE, ancestors: [] });
  const kept = Object.entries(schema).filter(([keyword]) => !REFUSED.includes(keyword));
  const own = isObject(schema.properties) ? schema.properties : {};
  return {
    ...Object.fromEntries(kept),
    properties: { ...own, ...properties },
    ...(required.length > 0 && { required }),
  };
}

interface Members {
  properties: Record<string, unknown>;
  required: string[];
}

/** The maximum number of schemas and characters, and the maximum depth, that are processed; the rest is omitted. */
const MAX_SIZE = 100_000;
const MAX_DEPTH = 32;

interface Walk {
  root: Schema;
  left: number;
  /** The enclosing schemas, to detect recursion. */
  ancestors: Schema[];
}

function membersOf(schema: unknown, walk: Walk): Members {
  const { root, ancestors } = walk;
  const isOver = --walk.left <= 0 || ancestors.length > MAX_DEPTH;
  if (isOver || !isObject(schema) || ancestors.includes(schema)) return { properties: {}, required: [] };
  const inner = (one: unknown) => {
    ancestors.push(schema);
    const members = membersOf(one, walk);
    ancestors.pop();
    return members;
  };
  const own: Members = {
    properties: isObject(schema.properties) ? schema.properties : {},
    required: Array.isArray(schema.required) ? schema.required : [],
  };
  const all = [own, inner(resolveRef(schema, root)), ...branches(schema, "allOf").map(inner)];
  for (const keyword of ["anyOf", "oneOf"]) {
    const each = branches(schema, keyword).map(inner);
    const [first, ...others] = each;
    if (!first) continue;
    const required = first.required.filter((name) => others.every((other) => other.required.includes(name)));
    all.push({ properties: merged(each, "anyOf", walk), required });
  }
  return {
    properties: merged(all, "allOf", walk),
    required: [...new Set(all.flatMap(({ required }) => required))],
  };
}

const branches = (schema: Schema, keyword: string): unknown[] =>
  Array.isArray(schema[keyword]) ? schema[keyword] : [];

/** Resolves a schema's `$ref` within `root`. */
function resolveRef({ $ref }: Schema, root: Schema): unknown {
  if (typeof $ref !== "string" || !/^#(?:\/|$)/.test($ref)) return undefined;
  const names = $ref.split("/").slice(1);
  let part: unknown = root;
  for (const name of names) {
    part = isObject(part) ? part[name.replaceAll("~1", "/").replaceAll("~0", "~")] : undefined;
  }
  return part;
}

/** Merges properties; differing schemas of one property are combined with `how`. */
function merged(members: Members[], how: "allOf" | "anyOf", walk: Walk): Record<string, unknown> {
  const said = new Map<string, Map<string, unknown>>();
  for (const { properties } of members) {
    for (const [name, schema] of Object.entries(properties)) {
      const text = JSON.stringify(schema);
      walk.left -= text.length;
      if (walk.left <= 0) continue;
      said.set(name, (said.get(name) ?? new Map()).set(text, schema));
    }
  }
  return Object.fromEntries(
    [...said].map(([name, schemas]) => {
      const [first, ...others] = schemas.values();
      return [name, others.length === 0 ? first : { [how]: [first, ...others] }];
    }),
  );
}
