/** Validates that an export is a ServiceModule, so that all other code can rely on its types. */
import { messageOf } from "../errors.js";
import { LoadFailure } from "../load-failure.js";
import { assertServiceName } from "../names.js";
import { isObject } from "../objects.js";
import type { ServiceModule } from "../types.js";

type Check = (value: unknown) => boolean;

const isFunction: Check = (v) => typeof v === "function";
const isStrings: Check = (v) =>
  Array.isArray(v) && v.every((item) => typeof item === "string" && item !== "");
const has = (v: unknown, key: string) => (v as Record<string, unknown>)[key];
const isOptionalFunction = (v: unknown, key: string) => has(v, key) === undefined || isFunction(has(v, key));

const FIELDS = Object.entries<{ is: Check; takes: string }>({
  description: { is: (v) => typeof v === "string", takes: "a string" },
  routes: {
    is: (v) => isObject(v) && isFunction(has(v, "fetch")) && Array.isArray(has(v, "routes")),
    takes: "a Hono app",
  },
  mountAtRoot: { is: (v) => typeof v === "boolean", takes: "true or false" },
  requiresAuth: { is: (v) => typeof v === "boolean", takes: "true or false" },
  store: {
    is: (v) => isObject(v) && isOptionalFunction(v, "flush") && isOptionalFunction(v, "close"),
    takes: "an object whose flush and close, if present, are functions",
  },
  init: { is: isFunction, takes: "a function" },
  dispose: { is: isFunction, takes: "a function" },
  registerTools: { is: isFunction, takes: "a function" },
  registerBehaviors: { is: isFunction, takes: "a function" },
  widget: {
    is: (v) => isObject(v) && isFunction(has(v, "getLines")),
    takes: "an object with a function getLines",
  },
  toolAnnotations: {
    is: (v) => isObject(v) && Object.values(v as object).every(isObject),
    takes: "an object of { readOnly?, destructive?, idempotent? } by tool name",
  },
  toolProvider: {
    is: (v) => isObject(v) && isFunction(has(v, "listTools")) && isFunction(has(v, "callTool")),
    takes: "an object with the functions listTools and callTool",
  },
  routeDocs: {
    is: (v) => isObject(v) && Object.values(v as object).every(isObject),
    takes: 'an object of { summary, … } by "METHOD /path"',
  },
  eventDocs: {
    is: (v) => isObject(v) && Object.values(v as object).every(isObject),
    takes: "an object of { description, … } by event name",
  },
  dependencies: { is: isStrings, takes: "an array of service names" },
  capabilities: { is: isStrings, takes: "an array of strings" },
});

/**
 * Returns a default export as a ServiceModule.
 *
 * @throws LoadFailure that names the invalid field.
 */
export function checkModule(exported: unknown): ServiceModule {
  if (!isObject(exported)) {
    const found = exported === undefined ? "nothing" : Array.isArray(exported) ? "an array" : typeof exported;
    throw noModule(`${found} by default; the default export must be a ServiceModule object.`);
  }
  const { name } = exported;
  // An app, as exported by standalone servers.
  if (name === undefined && isFunction(exported.fetch)) {
    throw noModule(
      "an app by default; the default export must be a ServiceModule object: { name, routes: app }.",
    );
  }
  assertServiceName(name);
  const module = exported as unknown as ServiceModule;
  keep(module, "name", name);
  for (const field of FIELDS) checked(module, field);
  return module;
}

/**
 * Validates the fields again after `init`, which may have set them, and replaces getters by their current
 * values, so that they cannot change or throw later.
 *
 * @throws LoadFailure that names the invalid field.
 */
export function settleModule(module: ServiceModule): void {
  for (const field of FIELDS) keep(module, field[0], checked(module, field));
}

function checked(module: ServiceModule, [field, { is, takes }]: (typeof FIELDS)[number]): unknown {
  let value: unknown;
  try {
    value = has(module, field);
  } catch (error) {
    throw badField(module, field, `cannot be read: ${messageOf(error)}`);
  }
  if (value === undefined || is(value)) return value;
  throw badField(module, field, `must be ${takes}.`);
}

/** Replaces a computed field by a value. */
function keep(module: ServiceModule, field: string, value: unknown): void {
  if (!isComputed(module, field)) return;
  const own = { value, writable: true, enumerable: true, configurable: true };
  if (Reflect.defineProperty(module, field, own)) return;
  throw badField(module, field, "must be a plain value: a getter that cannot be replaced may change later.");
}

function isComputed(module: object, field: string): boolean {
  // Most fields are absent, which is the cheapest case.
  for (let owner = module; field in owner; owner = Object.getPrototypeOf(owner) as object) {
    const own = Object.getOwnPropertyDescriptor(owner, field);
    if (own) return own.get !== undefined;
  }
  return false;
}

const noModule = (what: string) => new LoadFailure("NO_DEFAULT_EXPORT", "check", `index.ts exports ${what}`);

const badField = ({ name }: ServiceModule, field: string, problem: string) =>
  new LoadFailure("BAD_FIELD", "check", `${field} of "${name}" ${problem}`);
