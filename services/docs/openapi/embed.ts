/** Schemas of many authors in one document: references hold, names do not collide, nothing points outside. */
import type { JsonSchema } from "../../../src/core/types.js";
import { membersOf } from "../schemas/plain.js";

/** Keywords whose value is a schema, a list of schemas, or schemas by name. */
const ONE = new Set(
  "additionalProperties unevaluatedProperties unevaluatedItems propertyNames contains not if then else items".split(
    " ",
  ),
);
const MANY = new Set(["allOf", "anyOf", "oneOf", "prefixItems"]);
const NAMED = new Set(["properties", "patternProperties", "dependentSchemas", "$defs", "definitions"]);
/** Keywords that are about where the schema came from. */
const DROPPED = new Set([
  "$schema",
  "$id",
  "$anchor",
  "$dynamicAnchor",
  "$dynamicRef",
  "$recursiveRef",
  "$vocabulary",
]);

/** The schemas under `components` of one document. */
export class Components {
  readonly schemas: Record<string, JsonSchema> = {};
  /** What several routes share is there once. */
  readonly #byText = new Map<string, string>();

  /** A schema as it can stand anywhere in the document. `name` is what its parts are called if they need one. */
  embed(schema: JsonSchema, name: string): JsonSchema {
    const ids = new Map<string, string>();
    collectIds(schema, (id, part) => {
      const text = JSON.stringify(part);
      const known = this.#byText.get(text) ?? this.#reserve(id || name);
      this.#byText.set(text, known);
      ids.set(id, known);
    });
    const needsRoot = JSON.stringify(schema).includes('"$ref":"#');
    const root = needsRoot ? this.#reserve(name) : undefined;
    const copy = this.#copy(schema, { ids, root });
    if (root === undefined) return copy;
    this.schemas[root] = copy;
    return { $ref: pointer(root) };
  }

  #reserve(wanted: string): string {
    const base = wanted.replace(/[^\w.-]+/g, "_").slice(0, 80) || "Schema";
    let name = base;
    for (let number = 2; Object.hasOwn(this.schemas, name); number++) name = `${base}_${number}`;
    this.schemas[name] = {};
    return name;
  }

  #copy(schema: unknown, names: Names): JsonSchema {
    if (typeof schema === "boolean") return schema as unknown as JsonSchema;
    const { $id, ...members } = membersOf(schema);
    const copy = this.#members(members, names);
    const name = typeof $id === "string" ? names.ids.get($id) : undefined;
    if (name === undefined) return copy;
    this.schemas[name] = copy;
    return { $ref: pointer(name) };
  }

  #members(schema: Record<string, unknown>, names: Names): JsonSchema {
    const copy: Record<string, unknown> = {};
    for (const [keyword, value] of Object.entries(schema)) {
      if (DROPPED.has(keyword)) continue;
      if (keyword === "$ref") {
        const target = resolve(value, names);
        if (target !== undefined) copy.$ref = target;
      } else if (keyword === "items" && Array.isArray(value)) {
        copy.prefixItems = value.map((item) => this.#copy(item, names));
      } else if (keyword === "additionalItems") {
        if (Array.isArray(schema.items)) copy.items = this.#copy(value, names);
      } else if (ONE.has(keyword)) copy[keyword] = this.#copy(value, names);
      else if (MANY.has(keyword) && Array.isArray(value)) {
        copy[keyword] = value.map((item) => this.#copy(item, names));
      } else if (NAMED.has(keyword)) {
        const inner = Object.entries(membersOf(value)).map(([key, item]) => [key, this.#copy(item, names)]);
        copy[keyword] = Object.fromEntries(inner);
      } else copy[keyword] = value;
    }
    return copy;
  }
}

interface Names {
  /** Component names of schemas with an `$id`. */
  ids: Map<string, string>;
  /** Component name of the whole schema, where something points into it. */
  root: string | undefined;
}

const pointer = (name: string) => `#/components/schemas/${name}`;

/** Where a reference leads inside the document; undefined for what is outside. */
function resolve(ref: unknown, { ids, root }: Names): string | undefined {
  if (typeof ref !== "string") return undefined;
  const name = ids.get(ref) ?? ids.get(ref.replace(/#$/, ""));
  if (name !== undefined) return pointer(name);
  if (root === undefined || !/^#(\/|$)/.test(ref)) return undefined;
  return pointer(root) + ref.slice(1);
}

function collectIds(schema: unknown, found: (id: string, part: object) => void): void {
  if (Array.isArray(schema)) for (const item of schema) collectIds(item, found);
  else {
    for (const [key, value] of Object.entries(membersOf(schema))) {
      if (key === "$id" && typeof value === "string") found(value, schema as object);
      else collectIds(value, found);
    }
  }
}
