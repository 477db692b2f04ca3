/** Schemas of tools as models see them. */
import { isObject } from "./objects.js";

type Schema = Record<string, unknown>;

/**
 * What models' providers refuse beside the properties of a tool, together with every request that has it; they also
 * refuse tools without properties.
 */
const REFUSED = ["allOf", "anyOf", "oneOf", "not", "enum", "const", "if", "then", "else"];

/**
 * A tool's schema with all properties that any of its alternatives has, in place of the alternatives. Nothing that fits
 * the schema is refused by it; what it takes beyond that is for the tool to refuse.
 */
export function modelSchema(schema: Schema): Schema {
  if (!REFUSED.some((keyword) => keyword in schema)) return { properties: {}, ...schema };
  const { properties, required } = membersOf(schema);
  const kept = Object.entries(schema).filter(([keyword]) => !REFUSED.includes(keyword));
  return { ...Object.fromEntries(kept), properties, ...(required.length > 0 && { required }) };
}

interface Members {
  properties: Record<string, unknown>;
  required: string[];
}

function membersOf(schema: unknown): Members {
  if (!isObject(schema)) return { properties: {}, required: [] };
  const own: Members = {
    properties: isObject(schema.properties) ? schema.properties : {},
    required: Array.isArray(schema.required) ? schema.required : [],
  };
  const all = [own, ...branches(schema, "allOf").map(membersOf)];
  for (const keyword of ["anyOf", "oneOf"]) {
    const each = branches(schema, keyword).map(membersOf);
    const [first, ...others] = each;
    if (!first) continue;
    const required = first.required.filter((name) => others.every((other) => other.required.includes(name)));
    all.push({ properties: merged(each, "anyOf"), required });
  }
  return {
    properties: merged(all, "allOf"),
    required: [...new Set(all.flatMap(({ required }) => required))],
  };
}

const branches = (schema: Schema, keyword: string): unknown[] =>
  Array.isArray(schema[keyword]) ? schema[keyword] : [];

/** Where several say something else about one property, `how` combines that. */
function merged(members: Members[], how: "allOf" | "anyOf"): Record<string, unknown> {
  const said = new Map<string, Map<string, unknown>>();
  for (const { properties } of members) {
    for (const [name, schema] of Object.entries(properties)) {
      const known = said.get(name) ?? new Map();
      said.set(name, known.set(JSON.stringify(schema), schema));
    }
  }
  return Object.fromEntries(
    [...said].map(([name, schemas]) => {
      const [first, ...others] = schemas.values();
      return [name, others.length === 0 ? first : { [how]: [first, ...others] }];
    }),
  );
}
