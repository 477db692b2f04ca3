/** Says in a person's words where and why a value does not fit a JSON Schema, of what the validator says. */

/** What the validator says of one place. */
export interface ValidatorError {
  keyword: string;
  /** JSON pointer to the value, `""` for the whole. */
  instancePath: string;
  /** JSON pointer to the schema that it does not fit. */
  schemaPath: string;
  params: object;
  message: string;
}

/** One place where a value does not fit. */
export interface SchemaFault {
  /** JSON pointer to the value, `""` for the whole. */
  path: string;
  message: string;
}

/** More allowed values are not named. */
const SHOWN_VALUES = 20;

/** Where a schema is one of several alternatives: the path of the schema that has them. */
const ALTERNATIVE = /^(.*)\/(?:anyOf|oneOf)\/\d+$/;

/** One fault for each place and reason; the alternatives of one place are one. */
export function faultsOf(given: Iterable<ValidatorError>): SchemaFault[] {
  const errors = [...given];
  const faults = new Map<string, SchemaFault>();
  const choices = new Map<string, ValidatorError[]>();
  for (const error of errors) {
    const { instancePath: path, schemaPath } = error;
    if (isSaidInDetail(error, errors)) continue;
    const parent = ALTERNATIVE.exec(schemaPath)?.[1];
    if (parent === undefined) {
      faults.set(`${schemaPath} ${path}`, { path, message: wordsOf([error], true) });
      continue;
    }
    const key = `${parent} ${path}`;
    const choice = [...(choices.get(key) ?? []), error];
    choices.set(key, choice);
    // The validator stops after some errors, and that of the whole comes after those of the alternatives.
    const isWhole = errors.some((one) => one.schemaPath === parent && one.instancePath === path);
    faults.set(key, { path, message: wordsOf(choice, isWhole) });
  }
  return [...faults.values()];
}

/** Whether it only sums up what others say: each property, or alternative, that does not fit. */
function isSaidInDetail({ keyword, schemaPath }: ValidatorError, errors: ValidatorError[]): boolean {
  if (!/^(additionalProperties|anyOf|oneOf)$/.test(keyword)) return false;
  const path = `${schemaPath}/${keyword}`;
  return errors.some((one) => one.schemaPath === path || one.schemaPath.startsWith(`${path}/`));
}

/** Why a value fits none of some schemas; of one, why it does not fit it. */
function wordsOf(errors: ValidatorError[], isWhole: boolean): string {
  const expected = errors.map(expectationOf);
  if (expected.includes(undefined)) {
    const reasons = errors.map((error, at) =>
      expected[at] ? `must be ${expected[at].join(", ")}` : reasonOf(error),
    );
    return [...new Set(reasons)].join(" or ");
  }
  const values = [...new Set(expected.flatMap((one) => one ?? []))];
  if (values.length <= 2 && isWhole) return `must be ${values.join(" or ")}`;
  const shown = values.slice(0, SHOWN_VALUES).join(", ");
  return `must be one of ${shown}${isWhole && values.length <= SHOWN_VALUES ? "" : " …"}`;
}

/** What a schema takes, to stand after "must be"; undefined where its own message says it. */
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
