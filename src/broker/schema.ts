import { Compile } from "typebox/schema";
import { messageOf } from "../core/errors.js";
import { BrokerError, type SchemaIssue } from "./errors.js";
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
  const bounded = toPlain(plain);
  const matchesNames = lintSchema(bounded).map(boundPatterns).includes(true);
  const isTooLong = (value: unknown) => matchesNames && hasLongName(value);
  if (plain === true) return { schema: true, check: () => true, issues: () => [] };
  let validator: ReturnType<typeof Compile>;
  try {
    validator = Compile(bounded as object);
  } catch (error) {
    throw new SchemaError("", messageOf(error));
  }
  return {
    schema: plain,
    check: (value) => !isTooLong(value) && tried(() => validator.Check(value), false),
    issues: (value) =>
      tried(() => {
        if (isTooLong(value)) return LONG_NAME;
        const [fits, errors] = validator.Errors(value);
        if (fits) return [];
        return errors.map(({ instancePath, message }) => ({ path: instancePath, message }));
      }, TOO_DEEP),
  };
}

/**
 * Most patterns can take time that grows with the square of a text's length, and worse, and it is the server's. So
 * those that can get to see short texts only.
 */
const MAX_MATCHED = 10_000;

/** Whether a pattern cannot: it begins at the beginning, and has at most one part of any length. */
function isLinear(pattern: string): boolean {
  if (!pattern.startsWith("^")) return false;
  const bare = pattern.replace(/\\./gs, "x").replace(/\[[^\]]*\]/g, "x");
  return !/[|()]/.test(bare) && (bare.match(/[*+]|\{\d+,\}/g) ?? []).length <= 1;
}

/** Matches no text that is longer than that. */
class BoundedPattern extends RegExp {
  readonly #given: string;

  constructor(given: string) {
    super(given, "u");
    this.#given = given;
  }

  /** As messages show it. */
  override toString(): string {
    return this.#given;
  }

  override test(text: string): boolean {
    return text.length <= MAX_MATCHED && super.test(text);
  }
}

/** Bounds the pattern of one schema. Returns whether it has patterns for names of properties, which cannot be. */
function boundPatterns(part: unknown): boolean {
  if (typeof part !== "object") return false;
  const schema = part as Record<string, unknown>;
  if (typeof schema.pattern === "string" && !isLinear(schema.pattern))
    schema.pattern = new BoundedPattern(schema.pattern);
  return schema.patternProperties !== undefined;
}

/** Whether a value, or what is in it, has a property whose name is longer than a pattern gets to see. */
function hasLongName(value: unknown): boolean {
  const open = [value];
  for (const one of open) {
    if (typeof one !== "object" || one === null) continue;
    for (const [name, inner] of Object.entries(one)) {
      if (name.length > MAX_MATCHED) return true;
      open.push(inner);
    }
  }
  return false;
}

const LONG_NAME: SchemaIssue[] = [
  { path: "", message: `must not have names of properties of more than ${MAX_MATCHED} characters` },
];

const TOO_DEEP: SchemaIssue[] = [{ path: "", message: "is nested too deeply to be checked" }];

/** A schema that refers to itself goes as deep as the value does, and the stack does not. */
function tried<T>(check: () => T, tooDeep: T): T {
  try {
    return check();
  } catch (error) {
    if (error instanceof RangeError) return tooDeep;
    throw error;
  }
}

/** Why an answer of the method `key` does not fit its output schema, or `null` when it does. */
export function misfitOf(output: CompiledSchema, key: string, answer: unknown): BrokerError | null {
  if (output.check(answer)) return null;
  const details = { issues: output.issues(answer), method: key };
  return new BrokerError("invalid_output", `the answer of ${key} does not fit its output schema`, details);
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
    throw new SchemaError("", `is not JSON: ${messageOf(error)}`);
  }
}
