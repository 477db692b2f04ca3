/** What a route takes, field by field: path and query parameters, body. For the document and for the page. */
import type { JsonSchema, ParamDoc } from "../../src/core/types.js";
import type { RouteEntry } from "./model.js";
import { membersOf } from "./schemas/plain.js";
import { schemaOfFields, schemaOfProse } from "./schemas/prose.js";

/** One path or query parameter. */
export interface Parameter extends ParamDoc {
  name: string;
  required: boolean;
  schema: JsonSchema;
}

export interface Body {
  /** Media type. */
  type: string;
  fields: Record<string, ParamDoc>;
  schema: JsonSchema;
}

export interface Inputs {
  path: Parameter[];
  query: Parameter[];
  body: Body | undefined;
}

/** The name of the part of a path that its n-th `*` stands for, from 0. */
export const wildcardName = (n: number) => (n === 0 ? "wildcard" : `wildcard${n + 1}`);

interface PathParameter {
  name: string;
  optional: boolean;
  /** What it must match. */
  pattern?: string;
  /** What it is, where it has no name of its own. */
  description?: string;
}

/** The parameters in a path, in order. */
export function pathParameters(route: string): PathParameter[] {
  const found: PathParameter[] = [];
  let wildcards = 0;
  for (let at = 0; at < route.length; at++) {
    if (route[at] !== "/") continue;
    const [, name] = /^:([^/{?]+)/.exec(route.slice(at + 1)) ?? [];
    if (name !== undefined) {
      at += name.length + 1;
      const pattern = route[at + 1] === "{" ? braced(route, at + 1) : undefined;
      if (pattern !== undefined) at += pattern.length + 2;
      found.push({ name, optional: route[at + 1] === "?", ...(pattern && { pattern }) });
    } else if (route[at + 1] === "*") {
      const description = at + 2 === route.length ? "Rest of the path." : "Path segment.";
      found.push({ name: wildcardName(wildcards++), optional: false, description });
    }
  }
  return found;
}

/** What stands between the brace at `from` and the one that closes it. */
function braced(text: string, from: number): string {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === "{") depth++;
    else if (text[at] === "}" && --depth === 0) return text.slice(from + 1, at);
  }
  return text.slice(from + 1);
}

/** Everything a route takes, from its path, its prose and its schemas. */
export function inputsOf(route: RouteEntry): Inputs {
  const inPath = pathParameters(route.route);
  const names = new Set(inPath.map(({ name }) => name));
  const params = route.params ?? {};
  const own = (name: string) => (Object.hasOwn(params, name) ? params[name] : undefined);
  const path = inPath.map(({ name, optional, pattern, description = "" }): Parameter => {
    const doc = own(name);
    const schema = schemaFor(name, doc, route.schemas?.params);
    return {
      name,
      type: doc?.type ?? "string",
      description: doc?.description ?? description,
      required: !optional,
      schema: pattern && !("pattern" in schema) ? { type: "string", pattern: `^(?:${pattern})$` } : schema,
    };
  });
  // The contract documents query parameters under `params` too.
  const loose = Object.entries(params).filter(([name]) => !names.has(name));
  const query = Object.entries({ ...Object.fromEntries(loose), ...route.query }).map(
    ([name, doc]): Parameter => ({
      ...doc,
      name,
      required: doc.required === true,
      schema: schemaFor(name, doc, route.schemas?.query),
    }),
  );
  return { path, query, body: bodyOf(route) };
}

function schemaFor(name: string, doc: ParamDoc | undefined, schema: unknown): JsonSchema {
  const properties = membersOf(membersOf(schema).properties);
  if (Object.hasOwn(properties, name)) return membersOf(properties[name]);
  return doc ? schemaOfProse(doc.type) : { type: "string" };
}

function bodyOf({ body, schemas, bodyType }: RouteEntry): Body | undefined {
  if (!body && !schemas?.body && !bodyType) return undefined;
  const fields = body ?? {};
  const type = bodyType ?? "application/json";
  const prose = Object.keys(fields).length > 0 ? schemaOfFields(fields) : {};
  return { type, fields, schema: schemas?.body ? describe(schemas.body, fields) : prose };
}

/** The schema, with descriptions from the prose where it has none of its own. */
function describe(schema: JsonSchema, fields: Record<string, ParamDoc>): JsonSchema {
  const { properties } = membersOf(schema);
  if (!properties) return schema;
  const described = Object.entries(membersOf(properties)).map(([name, property]) => {
    const description = Object.hasOwn(fields, name) ? fields[name]?.description : undefined;
    const needs = description && membersOf(property).description === undefined;
    return [name, needs ? { ...membersOf(property), description } : property];
  });
  return { ...schema, properties: Object.fromEntries(described) };
}
