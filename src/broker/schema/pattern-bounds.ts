/** Limits the input of slow validations: patterns, and the search for repeated items. */

/**
 * The maximum length of texts matched against patterns that may take superlinear time, and of lists searched
 * for repeated items.
 */
export const MAX_MATCHED = 10_000;

/** Whether a pattern runs in linear time: it is anchored at the start and has at most one unbounded repetition. */
const isLinear = (pattern: string) => hasAtMostOne(pattern, /[*+]|\{\d+,\}/g);

/** Whether a pattern matches in one pass: at most one repetition of any kind. */
export const isQuick = (pattern: string) => hasAtMostOne(pattern, /[*+?]|\{\d+,\d*\}/g);

function hasAtMostOne(pattern: string, repetition: RegExp): boolean {
  if (!pattern.startsWith("^")) return false;
  const bare = pattern.replace(/\\./gs, "x").replace(/\[[^\]]*\]/g, "x");
  return !/[|()]/.test(bare) && (bare.match(repetition) ?? []).length <= 1;
}

/** Does not match texts that are too long. */
class BoundedPattern extends RegExp {
  readonly #given: string;

  constructor(given: string) {
    super(given, "u");
    this.#given = given;
  }

  /** As shown in messages. */
  override toString(): string {
    return this.#given;
  }

  override test(text: string): boolean {
    return text.length <= MAX_MATCHED && super.test(text);
  }
}

/** Bounds the pattern of one schema, if it is not linear. */
export function boundPatterns(part: unknown): void {
  if (typeof part !== "object") return;
  const schema = part as Record<string, unknown>;
  if (typeof schema.pattern === "string" && !isLinear(schema.pattern))
    schema.pattern = new BoundedPattern(schema.pattern);
}

/** Whether a value contains a property name too long to be matched against patterns. */
export function hasLongName(value: unknown): boolean {
  return objectsIn(value, (one) => Object.keys(one).some((name) => name.length > MAX_MATCHED));
}

/** Whether a value contains a list too long to be searched for repeated items. */
export function hasLongList(value: unknown): boolean {
  return objectsIn(value, (one) => Array.isArray(one) && one.length > MAX_MATCHED);
}

/** Whether any object or list in a value satisfies a predicate. */
function objectsIn(value: unknown, isSo: (one: object) => boolean): boolean {
  const open = [value];
  for (const one of open) {
    if (typeof one !== "object" || one === null) continue;
    if (isSo(one)) return true;
    for (const inner of Object.values(one)) open.push(inner);
  }
  return false;
}
