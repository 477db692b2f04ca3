/** Reads what a request carries and checks it against a TypeBox schema; answers 400 with the field's name. */
import type { Static, TSchema } from "@sinclair/typebox";
import { type TypeCheck, TypeCompiler } from "@sinclair/typebox/compiler";
import type { Context } from "hono";
import { ReefError } from "./errors.js";
import { assertFormats } from "./validate/formats.js";
import { isTooDeep, MAX_LEVELS } from "./validate/json-depth.js";
import { problemsOf, UNIQUE_LATER } from "./validate/messages.js";

/** The checks of a schema, the cheap ones first. */
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
 * The schema without the search for repeated items, which reads every item to its end (0.1 µs a character) also where
 * a bound is exceeded. Messages still name it. `known` has the parts that were gone through; one that holds itself, in
 * a default for instance, is left as it is there.
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
 * Returns `value` as the schema's type when it fits; it is neither copied nor changed.
 *
 * @param what What to call the value when it is wrong as a whole, e.g. `"the request body"`.
 * @throws ReefError `BAD_REQUEST`, whose message names each wrong field, what it takes, and what it was given: not where
 * the name is a secret's, such as `apiToken`, or the field's schema says `writeOnly: true`.
 */
export function checkValue<T extends TSchema>(schema: T, value: unknown, what = "the value"): Static<T> {
  for (const check of compile(schema)) {
    if (!check.Check(value)) throw new ReefError("BAD_REQUEST", problemsOf(check.Errors(value), what));
  }
  return value as Static<T>;
}

/**
 * The JSON body of a request as it is; undefined when it is empty.
 *
 * @throws ReefError `BAD_JSON` for what is not JSON in UTF-8, `BAD_REQUEST` for more than 1000 levels of nesting; thrown
 * by a handler, both become a 400 reply.
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
 * The JSON body of a request, checked. An empty body counts as `{}` where the schema is an object, so that the
 * missing fields are named. Give the schema `additionalProperties: false` to refuse unknown fields. The formats of
 * JSON Schema (`date-time`, `email`, `uri` …) are checked; one that nobody knows is a 500, and the log names it.
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
 * The query parameters of a request, checked against an object schema. Texts become numbers and booleans where
 * the schema takes those, and a parameter that is given several times becomes an array.
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

/** What does not convert stays a text, which the check then refuses. */
function fromText(schema: TSchema | undefined, text: string): unknown {
  if (schema?.type === "boolean" && /^(true|false)$/.test(text)) return text === "true";
  const isNumeric = schema?.type === "integer" || schema?.type === "number";
  return isNumeric && text.trim() !== "" && !Number.isNaN(Number(text)) ? Number(text) : text;
}
