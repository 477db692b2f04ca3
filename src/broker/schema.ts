import { Compile } from "typebox/schema";
import type { SchemaIssue } from "./errors.js";
import { lintSchema, SchemaError } from "./schema-lint.js";

export { SchemaError } from "./schema-lint.js";

/** A JSON Schema as it stands in a manifest: draft-07, 2020-12 or made with TypeBox. */
export type JsonSchema = boolean | { readonly [keyword: string]: unknown };

/** A schema made ready to check values. */
export interface CompiledSchema {
  readonly schema: JsonSchema;
  /** Whether a value fits. Never throws and never changes the value. */
  check(value: unknown): boolean;
  /** Where and why a value does not fit; empty when it does. The first few places only. */
  issues(value: unknown): SchemaIssue[];
}

/**
 * Makes a schema ready. Throws a {@link SchemaError} for anything that would not be
 * checked as its author meant it.
 *
 * @example
 * ```ts
 * const schema = compileSchema({ type: "object", required: ["a"] });
 * schema.issues({}); // [{ path: "", message: "must have required properties a" }]
 * ```
 */
export function compileSchema(schema: unknown): CompiledSchema {
  const plain = toPlain(schema);
  lintSchema(plain);
  if (plain === true) return { schema: true, check: () => true, issues: () => [] };
  let validator: ReturnType<typeof Compile>;
  try {
    validator = Compile(plain as object);
  } catch (error) {
    throw new SchemaError("", error instanceof Error ? error.message : String(error));
  }
  return {
    schema: plain,
    check: (value) => validator.Check(value),
    issues: (value) => {
      const [fits, errors] = validator.Errors(value);
      if (fits) return [];
      return errors.map(({ instancePath, message }) => ({ path: instancePath, message }));
    },
  };
}

/** A copy without what JSON does not carry, such as the symbols that TypeBox adds. */
function toPlain(schema: unknown): JsonSchema {
  if (typeof schema === "boolean") return schema;
  if (typeof schema !== "object" || schema === null) {
    throw new SchemaError("", "must be an object or a boolean");
  }
  try {
    return JSON.parse(JSON.stringify(schema)) as JsonSchema;
  } catch (error) {
    throw new SchemaError("", `is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}
