/**
 * Validates tools' parameter schemas. A malformed one makes model providers reject all requests of an agent,
 * and MCP clients the whole tool list, so such tools are left out.
 */
import { isObject } from "../objects.js";

type Schema = Record<string, unknown>;

/** In characters. Every request to a model contains the schemas of all tools. */
const MAX_LENGTH = 100_000;

/**
 * Converts a tool's parameters into plain JSON Schema of an object, without TypeBox's symbols, which would
 * disable coercion in agents.
 *
 * @throws Error that names the invalid place.
 */
export function plainSchema(parameters: unknown): Schema {
  const text = JSON.stringify(parameters) ?? "null";
  if (text.length > MAX_LENGTH) {
    throw new Error(`its parameters are too large: ${text.length} characters of JSON, ${MAX_LENGTH} at most`);
  }
  const copy: unknown = JSON.parse(text);
  if (!isObject(copy)) return { type: "object", properties: {} };
  check(copy, "");
  const types = copy.type === undefined ? ["object"] : [copy.type].flat();
  if (!types.includes("object"))
    throw new Error(`its parameters are of type ${types}; they must be an object`);
  return { ...copy, type: "object" };
}

interface Shape {
  what: string;
  fits(value: unknown): boolean;
  /** The nested schemas with their names in the value. */
  schemas?(value: unknown): Array<[name: string, schema: unknown]>;
}

const isText = (value: unknown) => typeof value === "string";
const isTexts = (value: unknown) => Array.isArray(value) && value.every(isText);
const entries = (value: unknown): Array<[string, unknown]> => Object.entries(value as object);
const TYPES = new Set<unknown>(["array", "boolean", "integer", "null", "number", "object", "string"]);

const SCHEMA: Shape = {
  what: "a schema",
  fits: (value) => isObject(value) || typeof value === "boolean",
  schemas: (value) => [["", value]],
};
const SCHEMAS: Shape = {
  what: "a list of schemas",
  fits: (value) => Array.isArray(value) && value.length > 0,
  schemas: entries,
};
const ITEMS: Shape = {
  what: "a schema, or a list of them",
  fits: (value) => SCHEMA.fits(value) || Array.isArray(value),
  schemas: (value) => (Array.isArray(value) ? entries(value) : [["", value]]),
};
const SCHEMAS_BY_NAME: Shape = { what: "an object of schemas", fits: isObject, schemas: entries };
const TEXT: Shape = { what: "a text", fits: isText };
const TEXTS: Shape = { what: "a list of strings", fits: isTexts };
const NUMBER: Shape = { what: "a number", fits: (value) => typeof value === "number" };
const COUNT: Shape = {
  what: "a whole number",
  fits: (value) => Number.isInteger(value) && Number(value) >= 0,
};
const FLAG: Shape = { what: "true or false", fits: (value) => typeof value === "boolean" };
const LIST: Shape = { what: "a list", fits: Array.isArray };
const PATTERN: Shape = { what: "a regular expression", fits: isPattern };
const TYPE: Shape = {
  what: `one of ${[...TYPES].join(", ")}, or a list of them`,
  fits: (value) => [value].flat().every((type) => TYPES.has(type)) && [value].flat().length > 0,
};

const SHAPES = new Map<string, Shape>([
  ...shaped(SCHEMA, "additionalItems additionalProperties contains else if not propertyNames then"),
  ...shaped(SCHEMA, "unevaluatedItems unevaluatedProperties"),
  ...shaped(SCHEMAS, "allOf anyOf oneOf prefixItems"),
  ...shaped(SCHEMAS_BY_NAME, "$defs definitions dependentSchemas patternProperties properties"),
  ...shaped(ITEMS, "items"),
  ...shaped(TEXT, "$anchor $comment $id $ref $schema description format title"),
  ...shaped(PATTERN, "pattern"),
  ...shaped(TEXTS, "required"),
  ...shaped(TYPE, "type"),
  ...shaped(LIST, "enum examples"),
  ...shaped(NUMBER, "exclusiveMaximum exclusiveMinimum maximum minimum multipleOf"),
  ...shaped(
    COUNT,
    "maxContains maxItems maxLength maxProperties minContains minItems minLength minProperties",
  ),
  ...shaped(FLAG, "deprecated readOnly uniqueItems writeOnly"),
]);

function shaped(shape: Shape, keywords: string): Array<[string, Shape]> {
  return keywords.split(" ").map((keyword) => [keyword, shape]);
}

/** Validates a schema; `at` is its location, ending in a dot. Unknown keywords are ignored. */
function check(schema: Schema, at: string): void {
  for (const [keyword, value] of Object.entries(schema)) {
    const shape = SHAPES.get(keyword);
    if (!shape) continue;
    const place = `${at}${keyword}`;
    if (!shape.fits(value))
      throw new Error(`its parameters are not a valid JSON Schema: ${place} must be ${shape.what}`);
    for (const [name, inner] of shape.schemas?.(value) ?? []) {
      const where = name === "" ? place : `${place}.${name}`;
      if (!SCHEMA.fits(inner))
        throw new Error(`its parameters are not a valid JSON Schema: ${where} must be a schema`);
      if (isObject(inner)) check(inner, `${where}.`);
    }
  }
}

function isPattern(value: unknown): boolean {
  try {
    return isText(value) && new RegExp(value as string) !== undefined;
  } catch {
    return false;
  }
}
