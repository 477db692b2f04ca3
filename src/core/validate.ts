/**
 * Reads and validates request input with TypeBox schemas; invalid input is answered with a 400 that names the
 * field.
 */
import type { Static, TSchema } from "@sinclair/typebox";
import { type TypeCheck, TypeCompiler } from "@sinclair/typebox/compiler";
import type { Context } from "hono";
import { ReefError } from "./errors.js";
import { assertFormats } from "./validate/formats.js";
import { isTooDeep, MAX_LEVELS } from "./validate/json-depth.js";
import { problemsOf, UNIQUE_LATER } from "./validate/messages.js";

/** The compiled checks of a schema, cheap ones first. */
const compiled = new WeakMap<TSchema, Array<TypeCheck<TSchema>>>();

function compile(schema: TSchema): Array<TypeCheck<TSchema>> {
  let checks = compiled.get(schema);
  if (!checks) {
    assertFormats(schema);
    const cheap = withoutUnique(schema);
    checks = (cheap === schema ? [schema] : [cheap, schema]).map((one) => TypeCompiler.Compile(one));
    compiled.set(schema, checks);
  }
  return checks;
}

/**
 * A copy of the schema without `uniqueItems`, which reads every item to its end (0.1 µs per character) even if
 * a bound is exceeded. Messages still mention it. `known` maps parts that have been processed; recursive parts,
 * such as in a default, are left as they are.
 */
function withoutUnique<T>(schema: T, known = new Map<unknown, unknown>()): T {
  if (typeof schema !== "object" || schema === null) return schema;
  if (known.has(schema)) return known.get(schema) as T;
  known.set(schema, schema);
  let changed = false;
  const copy = Array.isArray(schema) ? [...schema] : { ...schema };
  for (const [key, value] of Object.entries(schema)) {
    const cheap = key === "uniqueItems" && value === true ? false : withoutUnique(value, known);
    if (cheap === value) continue;
    changed = true;
    if (cheap === false) Object.defineProperty(copy, UNIQUE_LATER, { value: true });
    Object.defineProperty(copy, key, { value: cheap, enumerable: true });
  }
  if (changed) known.set(schema, copy);
  return changed ? (copy as T) : schema;
}

/**
 * Returns `value` typed by the schema if it is valid; it is neither copied nor changed.
 *
 * @param what How to refer to the value as a whole in errors, e.g. `"the request body"`.
 * @throws ReefError `BAD_REQUEST`, naming each invalid field, what it takes, and its value, unless the name
 *   suggests a secret, such as
 * `apiToken`, or the field's schema has `writeOnly: true`.
 * @example
 * const limit = checkValue(Type.Integer({ minimum: 1 }), 5, "the limit"); // 5
 */
export function checkValue<T extends TSchema>(schema: T, value: unknown, what = "the value"): Static<T> {
  for (const check of compile(schema)) {
    if (!check.Check(value)) throw new ReefError("BAD_REQUEST", problemsOf(check.Errors(value), what));
  }
  return value as Static<T>;
}

/**
 * The unvalidated JSON body of a request; undefined when it is empty.
 *
 * @throws ReefError `BAD_JSON` for what is not JSON in UTF-8, `BAD_REQUEST` for more than 1000 levels of
 *   nesting. Thrown by a handler, both
 * become a 400 reply.
 * @example
 * const value = await readJson(c);
 */
export async function readJson(c: Context): Promise<unknown> {
  const bytes = await c.req.arrayBuffer();
  if (isTooDeep(new Uint8Array(bytes))) {
    throw new ReefError("BAD_REQUEST", `the request body is nested too deeply: ${MAX_LEVELS} levels at most`);
  }
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return text.trim() === "" ? undefined : JSON.parse(text);
  } catch (error) {
    const reason = error instanceof SyntaxError ? `: ${error.message}` : "";
    throw new ReefError("BAD_JSON", `the request body is not valid JSON${reason}`);
  }
}

/**
 * The validated JSON body of a request. An empty body counts as `{}` if the schema is an object, so that the
 * missing fields are named. Use `additionalProperties: false` to reject unknown fields. The formats of JSON
 * Schema (`date-time`, `email`, `uri` …) are checked; an unknown format is a 500, and the log names it.
 *
 * @throws ReefError `BAD_JSON` for what is not JSON in UTF-8, `BAD_REQUEST` for what does not fit the schema.
 * Thrown by a handler, both become a 400 reply.
 * @example
 * const NewItem = Type.Object({ name: Type.String({ maxLength: 80 }) }, { additionalProperties: false });
 * routes.post("/", async (c) => c.json(store.add(await readBody(c, NewItem)), 201));
 */
export async function readBody<T extends TSchema>(c: Context, schema: T): Promise<Static<T>> {
  const value = await readJson(c);
  if (value !== undefined) return checkValue(schema, value, "the request body");
  if (schema.type === "object") return checkValue(schema, {}, "the request body");
  throw new ReefError("BAD_JSON", "the request body is not valid JSON: it is empty");
}

/**
 * The validated query parameters of a request. Values are converted to numbers and booleans where the schema
 * expects those; repeated parameters become arrays.
 *
 * @throws ReefError `BAD_REQUEST`; thrown by a handler, it becomes a 400 reply.
 * @example
 * const Page = Type.Object({ limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })) });
 * routes.get("/", (c) => c.json(store.list(readQuery(c, Page))));
 */
export function readQuery<T extends TSchema>(c: Context, schema: T): Static<T> {
  const given: Record<string, unknown> = {};
  const known: Record<string, TSchema> = schema.properties ?? {};
  for (const [name, texts] of Object.entries(c.req.queries())) {
    const expected = Object.hasOwn(known, name) ? known[name] : undefined;
    const takesArray = expected?.type === "array";
    const values = texts.map((text) => fromText(takesArray ? expected.items : expected, text));
    Object.defineProperty(given, name, {
      value: takesArray || values.length > 1 ? values : values[0],
      enumerable: true,
    });
  }
  return checkValue(schema, given, "the query");
}

/** Converts a parameter. What cannot be converted stays a string, which validation then rejects. */
function fromText(schema: TSchema | undefined, text: string): unknown {
  if (schema?.type === "boolean" && /^(true|false)$/.test(text)) return text === "true";
  const isNumeric = schema?.type === "integer" || schema?.type === "number";
  return isNumeric && text.trim() !== "" && !Number.isNaN(Number(text)) ? Number(text) : text;
}
