/** How much the slow parts of a schema get to see: patterns, and what looks for repeated items. */

/**
 * Most patterns can take time that grows with the square of a text's length, and worse, and it is the server's. So
 * those that can get to see short texts only.
 */
export const MAX_MATCHED = 10_000;

/** Whether a pattern cannot: it begins at the beginning, and has at most one part of any length. */
const isLinear = (pattern: string) => hasAtMostOne(pattern, /[*+]|\{\d+,\}/g);

/** Whether a pattern goes through a text once: no other part is of no certain length either, be that ever so short. */
export const isQuick = (pattern: string) => hasAtMostOne(pattern, /[*+?]|\{\d+,\d*\}/g);

function hasAtMostOne(pattern: string, repetition: RegExp): boolean {
  if (!pattern.startsWith("^")) return false;
  const bare = pattern.replace(/\\./gs, "x").replace(/\[[^\]]*\]/g, "x");
  return !/[|()]/.test(bare) && (bare.match(repetition) ?? []).length <= 1;
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

/** Bounds the pattern of one schema. */
export function boundPatterns(part: unknown): void {
  if (typeof part !== "object") return;
  const schema = part as Record<string, unknown>;
  if (typeof schema.pattern === "string" && !isLinear(schema.pattern))
    schema.pattern = new BoundedPattern(schema.pattern);
}

/** Whether a value, or what is in it, has a property whose name is longer than a pattern gets to see. */
export function hasLongName(value: unknown): boolean {
  return objectsIn(value, (one) => Object.keys(one).some((name) => name.length > MAX_MATCHED));
}

/** Whether a value is, or holds, a list of more items than can be told apart in reasonable time. */
export function hasLongList(value: unknown): boolean {
  return objectsIn(value, (one) => Array.isArray(one) && one.length > MAX_MATCHED);
}

/** Whether one of the objects and lists that a value consists of is like that. */
function objectsIn(value: unknown, isSo: (one: object) => boolean): boolean {
  const open = [value];
  for (const one of open) {
    if (typeof one !== "object" || one === null) continue;
    if (isSo(one)) return true;
    for (const inner of Object.values(one)) open.push(inner);
  }
  return false;
}
