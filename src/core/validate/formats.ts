/**
 * String formats for TypeBox schemas. `@sinclair/typebox` has none built in, and rejects all values of unknown
 * formats.
 */
import { FormatRegistry, Kind, type TSchema } from "@sinclair/typebox";

/** Longer texts are rejected: checking may take 1 µs per character. */
const MAX_LENGTH = 10_000;

/** Formats whose checks take quadratic time. */
const TOO_SLOW = new Set(["uri-template"]);

const checked = new WeakSet<TSchema>();
let registered = false;

/**
 * Registers the standard formats if the schema uses any. Formats registered by services take precedence.
 *
 * @throws TypeError that names an unknown format.
 */
export function assertFormats(schema: TSchema): void {
  if (checked.has(schema)) return;
  for (const format of formatsIn(schema)) {
    if (!registered) registerFormats();
    if (FormatRegistry.Has(format)) continue;
    throw new TypeError(
      `unknown schema format "${format}": register it with FormatRegistry.Set("${format}", …) of @sinclair/typebox`,
    );
  }
  checked.add(schema);
}

/** The formats in a schema. `seen` guards against recursion, such as in a default. */
function* formatsIn(schema: unknown, seen = new Set<object>()): Generator<string> {
  if (typeof schema !== "object" || schema === null || seen.has(schema)) return;
  seen.add(schema);
  const { [Kind]: kind, format } = schema as Partial<TSchema>;
  if (kind === "String" && typeof format === "string") yield format;
  for (const part of Object.values(schema)) yield* formatsIn(part, seen);
}

/** Registers the formats that plugins' schemas support too. */
function registerFormats(): void {
  registered = true;
  // Loaded on demand: few services need them, and they are two dozen files.
  const { default: formats } = require("typebox/format") as typeof import("typebox/format");
  for (const [format, check] of formats.Entries()) {
    if (TOO_SLOW.has(format) || FormatRegistry.Has(format)) continue;
    FormatRegistry.Set(format, (text) => text.length <= MAX_LENGTH && check(text));
  }
}
