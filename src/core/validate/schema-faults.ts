/** Turns a validator's errors into readable ones: where and why a value does not fit a JSON Schema. */

/** An error as the validator reports it. */
export interface ValidatorError {
  keyword: string;
  /** JSON pointer to the value; `""` is the root. */
  instancePath: string;
  /** JSON pointer to the schema that was violated. */
  schemaPath: string;
  params: object;
  message: string;
}

/** A readable error. */
export interface SchemaFault {
  /** JSON pointer to the value; `""` is the root. */
  path: string;
  message: string;
}

/** How many of the allowed values a message lists. */
const MAX_LISTED_VALUES = 20;

/** Matches the path of an alternative; captures the path of the schema with the alternatives. */
const ALTERNATIVE = /^(.*)\/(?:anyOf|oneOf)\/\d+$/;

/** One fault for each place and reason; the alternatives at one place are merged into one. */
export function faultsOf(given: Iterable<ValidatorError>): SchemaFault[] {
  const errors = [...given];
  const faults = new Map<string, SchemaFault>();
  const choices = new Map<string, ValidatorError[]>();
  for (const error of errors) {
    const { instancePath: path, schemaPath } = error;
    if (isSummary(error, errors)) continue;
    const parent = ALTERNATIVE.exec(schemaPath)?.[1];
    if (parent === undefined) {
      faults.set(`${schemaPath} ${path}`, { path, message: messageFor([error], true) });
      continue;
    }
    const key = `${parent} ${path}`;
    const choice = [...(choices.get(key) ?? []), error];
    choices.set(key, choice);
    // The validator stops after a number of errors. The error of the parent comes last: without it, some may be missing.
    const isComplete = errors.some((one) => one.schemaPath === parent && one.instancePath === path);
    faults.set(key, { path, message: messageFor(choice, isComplete) });
  }
  return [...faults.values()];
}

/** Whether an error only summarises others: those of each property or alternative that does not fit. */
function isSummary({ keyword, schemaPath }: ValidatorError, errors: ValidatorError[]): boolean {
  if (!/^(additionalProperties|anyOf|oneOf)$/.test(keyword)) return false;
  const path = `${schemaPath}/${keyword}`;
  return errors.some((one) => one.schemaPath === path || one.schemaPath.startsWith(`${path}/`));
}

/** The message for a value that fits none of the alternatives; with one error, the message for that error. */
function messageFor(errors: ValidatorError[], isComplete: boolean): string {
  const expected = errors.map(expectationOf);
  if (expected.includes(undefined)) {
    const reasons = errors.map((error, at) =>
      expected[at] ? `must be ${expected[at].join(", ")}` : reasonOf(error),
    );
    return [...new Set(reasons)].join(" or ");
  }
  const values = [...new Set(expected.flatMap((one) => one ?? []))];
  if (values.length <= 2 && isComplete) return `must be ${values.join(" or ")}`;
  const shown = values.slice(0, MAX_LISTED_VALUES).join(", ");
  return `must be one of ${shown}${isComplete && values.length <= MAX_LISTED_VALUES ? "" : " …"}`;
}

/** The values or types that a schema allows, to follow "must be"; undefined if the validator's message is used. */
function expectationOf({ keyword, params }: ValidatorError): string[] | undefined {
  const { allowedValue, allowedValues, type } = params as Record<string, unknown>;
  if (keyword === "const") return [JSON.stringify(allowedValue)];
  if (keyword === "enum" && Array.isArray(allowedValues))
    return allowedValues.map((value) => JSON.stringify(value));
  return keyword === "type" ? [type].flat().map(String) : undefined;
}

function reasonOf({ keyword, message }: ValidatorError): string {
  return keyword === "boolean" ? "is not allowed" : message;
}
