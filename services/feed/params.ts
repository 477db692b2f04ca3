import type { Context } from "hono";
import { ReefError } from "../../src/core/errors.js";
import type { EventInput, EventQuery, PageRequest } from "../../src/core/tree.js";

/** A whole number from the query, or undefined when it is absent. */
export function integer(c: Context, name: string): number | undefined {
  const text = c.req.query(name);
  if (text === undefined || text === "") return undefined;
  if (!/^\d{1,9}$/.test(text)) throw new ReefError("BAD_REQUEST", `"${name}" is a whole number.`);
  return Number(text);
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
  let body: unknown;
  try {
    body = await c.req.json();
  } catch (error) {
    throw new ReefError("BAD_JSON", `the request body is not valid JSON: ${(error as Error).message}`);
  }
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw new ReefError("BAD_REQUEST", 'an event is an object such as { "type", "source", "content" }.');
  }
  const given = body as Record<string, unknown>;
  const source = given.source ?? given.agent ?? c.req.header("x-reef-agent-name");
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
