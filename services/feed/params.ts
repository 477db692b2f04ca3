import type { Context, MiddlewareHandler } from "hono";
import { agentNameOf } from "../../src/core/agent-name.js";
import { ReefError } from "../../src/core/errors.js";
import { isObject } from "../../src/core/objects.js";
import type { EventInput, EventQuery, PageRequest } from "../../src/core/tree.js";
import { readJson } from "../../src/core/validate.js";

/** Parameters that may be given several times. */
interface Repeatable {
  repeatable?: readonly string[];
}

/** Refuses query parameters that a route does not take: what is misspelt must not be answered with everything. */
export function takes(names: readonly string[], { repeatable = [] }: Repeatable = {}): MiddlewareHandler {
  const known = [...names, ...repeatable];
  return async (c, next) => {
    for (const [name, values] of Object.entries(c.req.queries())) {
      if (!known.includes(name)) {
        const those = known.length > 0 ? `known: ${known.join(", ")}` : "it has no parameters";
        throw new ReefError("BAD_REQUEST", `"${name}" is not a parameter of this route; ${those}.`);
      }
      if (values.length > 1 && !repeatable.includes(name)) {
        throw new ReefError("BAD_REQUEST", `"${name}" may be given only once.`);
      }
    }
    await next();
  };
}

/** A whole number from the query, or undefined when it is absent. */
export function integer(c: Context, name: string): number | undefined {
  const text = c.req.query(name);
  if (text === undefined || text === "") return undefined;
  if (!/^\d{1,9}$/.test(text)) throw new ReefError("BAD_REQUEST", `"${name}" must be a whole number.`);
  return Number(text);
}

/** `true` or `false` from the query; false when it is absent. */
export function flag(c: Context, name: string): boolean {
  const value = text(c, name) ?? "false";
  if (value !== "true" && value !== "false") {
    throw new ReefError("BAD_REQUEST", `"${name}" must be true or false.`);
  }
  return value === "true";
}

/** A text from the query; an empty one counts as absent. */
export function text(c: Context, ...names: string[]): string | undefined {
  for (const name of names) {
    const value = c.req.query(name);
    if (value) return value;
  }
  return undefined;
}

/** All values of a query parameter, given several times or separated by commas. */
export function list(c: Context, ...names: string[]): string[] | undefined {
  const values = names.flatMap((name) => c.req.queries(name) ?? []).flatMap((value) => value.split(","));
  const given = values.map((value) => value.trim()).filter(Boolean);
  return given.length > 0 ? given : undefined;
}

export function page(c: Context): PageRequest {
  return { limit: integer(c, "limit"), cursor: text(c, "cursor") };
}

export function query(c: Context): EventQuery {
  return {
    ...page(c),
    type: text(c, "type"),
    source: text(c, "agent", "source"),
    text: text(c, "q", "text"),
    since: text(c, "since"),
    until: text(c, "until"),
  };
}

/** An event from a request: `{ type, source, content, … }`, or `agent` and `summary` for the latter two. */
export async function eventFrom(c: Context): Promise<EventInput> {
  const given = await readJson(c);
  if (!isObject(given)) {
    throw new ReefError("BAD_REQUEST", 'An event must be an object such as { "type", "source", "content" }.');
  }
  const source = given.source ?? given.agent ?? agentNameOf(c.req.raw);
  const content = given.content ?? given.summary;
  if (source === undefined)
    throw new ReefError("BAD_REQUEST", 'An event needs "source" (or "agent"), a string.');
  if (content === undefined) {
    throw new ReefError("BAD_REQUEST", 'An event needs "content" (or "summary"), a string.');
  }
  const parentId = given.parentId === undefined ? c.req.header("x-reef-parent") : given.parentId;
  // What is not a string or not an id is refused where events are stored, with the reason.
  return { ...given, source, content, parentId } as EventInput;
}
