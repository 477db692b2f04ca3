/** Compiles JSON Schemas and validates values. */
import { Compile } from "typebox/schema";
import { messageOf } from "../core/errors.js";
import { faultsOf } from "../core/validate/schema-faults.js";
import { BrokerError, type SchemaIssue } from "./errors.js";
import { isCheap } from "./schema/cost.js";
import { lintSchema, SchemaError } from "./schema/lint.js";
import { boundPatterns, hasLongList, hasLongName, MAX_MATCHED } from "./schema/pattern-bounds.js";

export { SchemaError } from "./schema/lint.js";

/** A JSON Schema: draft-07, 2020-12, or created with TypeBox. */
export type JsonSchema = boolean | { readonly [keyword: string]: unknown };

/** A compiled schema. */
export interface CompiledSchema {
  readonly schema: JsonSchema;
  /** Whether validation is fast for all values. */
  readonly isCheap: boolean;
  /** Whether a value is valid. Never throws and never changes the value. */
  check(value: unknown): boolean;
  /** The first few errors of a value; empty when it is valid. */
  issues(value: unknown): SchemaIssue[];
}

/**
 * Compiles a schema. Throws a {@link SchemaError} for anything that would not be validated as its author
 * intended.
 *
 * @example
 * ```ts
 * const schema = compileSchema({ type: "object", required: ["a"] });
 * schema.issues({}); // [{ path: "", message: "must have required properties a" }]
 * ```
 */
export function compileSchema(schema: unknown): CompiledSchema {
  const plain = toPlain(schema);
  if (plain === true) return { schema: true, isCheap: true, check: () => true, issues: () => [] };
  const bounded = toPlain(plain);
  const parts = lintSchema(bounded);
  const cheap = isCheap(parts);
  parts.forEach(boundPatterns);
  const has = (keyword: string) =>
    parts.some((part) => typeof part === "object" && keyword in (part as object));
  const matchesNames = has("patternProperties");
  const comparesItems = has("uniqueItems");
  const isTooLong = (value: unknown) => matchesNames && hasLongName(value);
  let validator: ReturnType<typeof Compile>;
  try {
    validator = Compile(bounded as object);
  } catch (error) {
    throw new SchemaError("", messageOf(error));
  }
  return {
    schema: plain,
    isCheap: cheap,
    check: (value) => !isTooLong(value) && orTooDeep(() => validator.Check(value), false),
    issues: (value) =>
      orTooDeep(() => {
        if (isTooLong(value)) return LONG_NAME;
        // Listing repeated items takes quadratic time.
        if (comparesItems && hasLongList(value)) return validator.Check(value) ? [] : LONG_LIST;
        const [fits, errors] = validator.Errors(value);
        if (fits) return [];
        return faultsOf(errors);
      }, TOO_DEEP),
  };
}

const LONG_NAME: SchemaIssue[] = [
  { path: "", message: `must not have property names longer than ${MAX_MATCHED} characters` },
];

const LONG_LIST: SchemaIssue[] = [
  {
    path: "",
    message: `does not match; it has lists of more than ${MAX_MATCHED} items, too long to report where`,
  },
];

const TOO_DEEP: SchemaIssue[] = [{ path: "", message: "is nested too deeply to check" }];

/** Runs a check. Recursive schemas recurse as deep as the value, which may exhaust the stack. */
function orTooDeep<T>(check: () => T, tooDeep: T): T {
  try {
    return check();
  } catch (error) {
    if (error instanceof RangeError) return tooDeep;
    throw error;
  }
}

/** Validates an input of the method `key`. Returns the error, or `null` when it is valid. */
export function inputError(schema: CompiledSchema, key: string, input: unknown): BrokerError | null {
  if (schema.check(input)) return null;
  const issues = schema.issues(input);
  return new BrokerError("invalid_input", `invalid input for ${key}: ${describeIssues(issues)}`, {
    issues,
  });
}

/** Validates a result of the method `key`. Returns the error, or `null` when it is valid. */
export function outputError(schema: CompiledSchema, key: string, answer: unknown): BrokerError | null {
  if (schema.check(answer)) return null;
  const issues = schema.issues(answer);
  const message = `the result of ${key} does not match its output schema: ${describeIssues(issues)}`;
  return new BrokerError("invalid_output", message, { issues, method: key });
}

const describeIssues = (issues: SchemaIssue[]) =>
  issues.map(({ path, message }) => `${path || "/"} ${message}`).join("; ");

/** A plain JSON copy, without the symbols that TypeBox adds. */
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
