import { Compile } from "typebox/schema";
import { messageOf } from "../core/errors.js";
import { faultsOf } from "../core/validate/schema-faults.js";
import { BrokerError, type SchemaIssue } from "./errors.js";
import { isCheap } from "./schema/cost.js";
import { lintSchema, SchemaError } from "./schema/lint.js";
import { boundPatterns, hasLongList, hasLongName, MAX_MATCHED } from "./schema/pattern-bounds.js";

export { SchemaError } from "./schema/lint.js";

/** A JSON Schema as it stands in a manifest: draft-07, 2020-12 or made with TypeBox. */
export type JsonSchema = boolean | { readonly [keyword: string]: unknown };

/** A schema made ready to check values. */
export interface CompiledSchema {
  readonly schema: JsonSchema;
  /** Whether no value can make checking it take long. */
  readonly isCheap: boolean;
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
    check: (value) => !isTooLong(value) && tried(() => validator.Check(value), false),
    issues: (value) =>
      tried(() => {
        if (isTooLong(value)) return LONG_NAME;
        // To name repeated items takes time that grows with the square of their number.
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

/** A schema that refers to itself goes as deep as the value does, and the stack does not. */
function tried<T>(check: () => T, tooDeep: T): T {
  try {
    return check();
  } catch (error) {
    if (error instanceof RangeError) return tooDeep;
    throw error;
  }
}

/** Why an input does not fit the input schema of the method `key`, or `null` when it does. */
export function misfitOfInput(schema: CompiledSchema, key: string, input: unknown): BrokerError | null {
  if (schema.check(input)) return null;
  const issues = schema.issues(input);
  return new BrokerError("invalid_input", `invalid input for ${key}: ${inWords(issues)}`, { issues });
}

/** Why an answer of the method `key` does not fit its output schema, or `null` when it does. */
export function misfitOfOutput(schema: CompiledSchema, key: string, answer: unknown): BrokerError | null {
  if (schema.check(answer)) return null;
  const issues = schema.issues(answer);
  const message = `the result of ${key} does not match its output schema: ${inWords(issues)}`;
  return new BrokerError("invalid_output", message, { issues, method: key });
}

const inWords = (issues: SchemaIssue[]) =>
  issues.map(({ path, message }) => `${path || "/"} ${message}`).join("; ");

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
