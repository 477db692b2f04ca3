/** Between types as authors write them in prose and JSON Schemas. */
import type { JsonSchema, ParamDoc } from "../../../src/core/types.js";
import { membersOf, textOf } from "./plain.js";

const NAMED: Record<string, JsonSchema> = {
  string: { type: "string" },
  text: { type: "string" },
  number: { type: "number" },
  float: { type: "number" },
  integer: { type: "integer" },
  int: { type: "integer" },
  boolean: { type: "boolean" },
  bool: { type: "boolean" },
  object: { type: "object" },
  array: { type: "array" },
  null: { type: "null" },
  true: { const: true },
  false: { const: false },
  date: { type: "string", format: "date-time" },
  "iso 8601": { type: "string", format: "date-time" },
  uuid: { type: "string", format: "uuid" },
  url: { type: "string", format: "uri" },
};

/** The schema that a type in prose describes; `{}`, which takes everything, for what is not understood. */
export function schemaOfProse(type: string): JsonSchema {
  const text = type.trim();
  const options = splitUnion(text);
  if (options.length > 1) {
    const schemas = options.map(schemaOfProse);
    if (schemas.every((schema) => "const" in schema)) {
      return { enum: schemas.map((schema) => (schema as { const: unknown }).const) };
    }
    return { anyOf: schemas };
  }
  if (/^(["'`]).*\1$/s.test(text)) return { type: "string", const: text.slice(1, -1) };
  if (/^-?\d+(\.\d+)?$/.test(text)) return { const: Number(text) };
  if (/^\(.*\)$/s.test(text)) return schemaOfProse(text.slice(1, -1));
  if (text.endsWith("[]")) return { type: "array", items: schemaOfProse(text.slice(0, -2)) };
  const list = /^array\s*(?:<(.+)>|of (.+))$/is.exec(text);
  if (list) return { type: "array", items: schemaOfProse((list[1] ?? list[2]) as string) };
  const record = /^record\s*<\s*string\s*,(.+)>$/is.exec(text);
  if (record) return { type: "object", additionalProperties: schemaOfProse(record[1] as string) };
  if (text.startsWith("{")) return { type: "object" };
  const bare = text.replace(/\s*\(.*\)$/s, "").toLowerCase();
  return Object.hasOwn(NAMED, bare) ? { ...NAMED[bare] } : {};
}

/** The parts of `"a" | string[]` at the top level; bars within quotes and brackets do not count. */
function splitUnion(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let quote = "";
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text[at] as string;
    if (quote) {
      if (char === quote) quote = "";
    } else if ("\"'`".includes(char)) quote = char;
    else if ("([{<".includes(char)) depth++;
    else if (")]}>".includes(char)) depth--;
    else if (char === "|" && depth === 0) {
      parts.push(text.slice(from, at));
      from = at + 1;
    }
  }
  return [...parts, text.slice(from)].map((part) => part.trim()).filter((part) => part !== "");
}

/** A schema in words, e.g. `"open" | "done"`, `string[]`. */
export function proseOfSchema(schema: unknown): string {
  const { type, items, enum: values, const: value, anyOf, oneOf, $ref } = membersOf(schema);
  if (value !== undefined) return JSON.stringify(value);
  if (Array.isArray(values)) return values.map((option) => JSON.stringify(option)).join(" | ");
  const options = Array.isArray(anyOf) ? anyOf : Array.isArray(oneOf) ? oneOf : undefined;
  if (options) return [...new Set(options.map(proseOfSchema))].join(" | ");
  if (type === "array") {
    const inner = Array.isArray(items) ? "any" : proseOfSchema(items);
    return inner.includes(" | ") ? `(${inner})[]` : `${inner}[]`;
  }
  if (Array.isArray(type)) return type.join(" | ");
  return textOf(type) ?? textOf($ref) ?? "any";
}

/** The fields of an object schema as prose documentation; none for other schemas. */
export function fieldsOfSchema(schema: unknown): Record<string, ParamDoc> {
  const { properties, required } = membersOf(schema);
  const needed = new Set(Array.isArray(required) ? required : []);
  const fields = Object.entries(membersOf(properties)).map(([name, property]): [string, ParamDoc] => [
    name,
    {
      type: proseOfSchema(property),
      required: needed.has(name),
      description: textOf(membersOf(property).description) ?? "",
    },
  ]);
  return Object.fromEntries(fields);
}

/** The object schema that prose fields describe. */
export function schemaOfFields(fields: Record<string, ParamDoc>): JsonSchema {
  const entries = Object.entries(fields);
  const required = entries.filter(([, field]) => field.required).map(([name]) => name);
  const properties = entries.map(([name, { type, description }]) => [
    name,
    { ...schemaOfProse(type), ...(description && { description }) },
  ]);
  return {
    type: "object",
    properties: Object.fromEntries(properties),
    ...(required.length > 0 && { required }),
  };
}
