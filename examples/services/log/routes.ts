import { type Static, Type } from "@sinclair/typebox";
import { Hono } from "hono";
import { ReefError } from "../../../src/core/errors.js";
import { parseTime } from "../../../src/core/times.js";
import { readBody, readQuery } from "../../../src/core/validate.js";
import type { LogEntry, LogRange, LogStore } from "./store.js";

export const NewEntry = Type.Object(
  {
    text: Type.String({ pattern: "\\S", maxLength: 20_000 }),
    agent: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
  },
  { additionalProperties: false },
);

export const Filter = Type.Object(
  {
    since: Type.Optional(Type.String()),
    until: Type.Optional(Type.String()),
    last: Type.Optional(Type.String({ pattern: "^[0-9]{1,6}[smhdw]$" })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
  },
  { additionalProperties: false },
);

const DEFAULT_LIMIT = 1000;
const UNIT_MS: Record<string, number> = { s: 1e3, m: 60e3, h: 3600e3, d: 86_400e3, w: 604_800e3 };

/** The HTTP API of the log. */
export function createRoutes(store: LogStore): Hono {
  const routes = new Hono();

  routes.post("/", async (c) => {
    const { text, agent } = await readBody(c, NewEntry);
    return c.json(await store.append(text, agent), 201);
  });

  routes.get("/", async (c) => {
    const entries = await store.query(rangeOf(readQuery(c, Filter)));
    return c.json({ entries, count: entries.length });
  });

  routes.get("/raw", async (c) => {
    const entries = await store.query(rangeOf(readQuery(c, Filter)));
    return c.text(entries.map(toLine).join(""), 200, { "content-type": "text/plain; charset=utf-8" });
  });

  return routes;
}

function rangeOf({ since, until, last, limit = DEFAULT_LIMIT }: Static<typeof Filter>): LogRange {
  if (since !== undefined && last !== undefined) {
    throw new ReefError("BAD_REQUEST", "give either since or last, not both");
  }
  return {
    since: last === undefined ? timeOf("since", since) : Date.now() - durationOf(last),
    until: timeOf("until", until),
    limit,
  };
}

function timeOf(field: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const time = parseTime(text);
  if (time !== undefined) return time;
  throw new ReefError("BAD_REQUEST", `${field} must be a time such as 2026-01-31T12:00:00Z`);
}

/** `90m` in milliseconds. */
function durationOf(text: string): number {
  return Number(text.slice(0, -1)) * (UNIT_MS[text.slice(-1)] ?? 0);
}

/** Everything that some reader takes for the end of a line. */
const LINE_END = /\r\n|[\n\v\f\r\u0085\u2028\u2029]/g;

/** Further lines of a text are indented, and an agent's name has none, so that no entry passes for two. */
function toLine({ timestamp, agent, text }: LogEntry): string {
  const by = agent ? `[${agent.replace(LINE_END, " ")}] ` : "";
  return `${timestamp} ${by}${text.replace(LINE_END, "\n  ")}\n`;
}
