/** Formats of texts in schemas. `@sinclair/typebox` knows none of its own, and no text fits one that is unknown. */
import { FormatRegistry, Kind, type TSchema } from "@sinclair/typebox";

/** Longer texts have no format: to see that may take 1 µs for each character. */
const LONGEST = 10_000;

/** Checks that take time which grows with the square of the text. */
const TOO_SLOW = new Set(["uri-template"]);

const looked = new WeakSet<TSchema>();
let registered = false;

/**
 * Makes the usual formats known where a schema has one. What a service has registered itself stays.
 *
 * @throws TypeError that names a format which nobody knows.
 */
export function assertFormats(schema: TSchema): void {
  if (looked.has(schema)) return;
  for (const format of formatsIn(schema)) {
    if (!registered) registerFormats();
    if (FormatRegistry.Has(format)) continue;
    throw new TypeError(
      `unknown schema format "${format}": register it with FormatRegistry.Set("${format}", …) of @sinclair/typebox`,
    );
  }
  looked.add(schema);
}

/** A schema may hold itself, in a default for instance: `seen` has the parts that were gone through. */
function* formatsIn(schema: unknown, seen = new Set<object>()): Generator<string> {
  if (typeof schema !== "object" || schema === null || seen.has(schema)) return;
  seen.add(schema);
  const { [Kind]: kind, format } = schema as Partial<TSchema>;
  if (kind === "String" && typeof format === "string") yield format;
  for (const part of Object.values(schema)) yield* formatsIn(part, seen);
}

/** Those with which schemas of plugins are checked, too. */
function registerFormats(): void {
  registered = true;
  // Few services need them, and a start would have to load two dozen files.
  const { default: formats } = require("typebox/format") as typeof import("typebox/format");
  for (const [format, check] of formats.Entries()) {
    if (TOO_SLOW.has(format) || FormatRegistry.Has(format)) continue;
    FormatRegistry.Set(format, (text) => text.length <= LONGEST && check(text));
  }
}
