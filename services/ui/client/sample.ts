/** A first input for a method, made from its JSON Schema. */
interface Schema {
  type?: string | string[];
  properties?: Record<string, unknown>;
  required?: string[];
  default?: unknown;
  const?: unknown;
  enum?: unknown[];
  examples?: unknown[];
  items?: unknown;
  minimum?: number;
}

const MAX_DEPTH = 6;

/** A value that fits as far as it can be told: defaults and examples, all required fields, empty lists. */
export function sample(schema: unknown, depth = 0): unknown {
  if (typeof schema !== "object" || schema === null || depth > MAX_DEPTH) return null;
  const {
    type,
    properties,
    required,
    default: given,
    const: only,
    enum: choices,
    examples,
    minimum,
  } = schema as Schema;
  for (const value of [given, only, examples?.[0], choices?.[0]]) if (value !== undefined) return value;
  switch (Array.isArray(type) ? type[0] : type) {
    case "string":
      return "";
    case "number":
    case "integer":
      return minimum ?? 0;
    case "boolean":
      return false;
    case "array":
      return [];
    case "null":
      return null;
    default: {
      if (!properties) return {};
      const names = required ?? Object.keys(properties);
      return Object.fromEntries(names.map((name) => [name, sample(properties[name], depth + 1)]));
    }
  }
}
