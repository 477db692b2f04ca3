import { Hono } from "hono";
import { ReefError } from "../../src/core/errors.js";
import { toWire } from "../../src/core/tree/wire.js";
import type { EventPage } from "../../src/core/tree.js";
import type { Feed } from "./feed.js";
import { panel } from "./panel.js";
import { eventFrom, flag, integer, list, page, query, takes, text } from "./params.js";

function unknown(id: string): ReefError {
  return new ReefError("NOT_FOUND", `There is no event ${id}; it may have been removed by retention.`);
}

function reply({ events, next }: EventPage) {
  return { events: events.map(toWire), count: events.length, next };
}

const paging = ["limit", "cursor"];
const sources = ["agent", "source"];
const searching = takes([...sources, "type", "q", "text", "since", "until", ...paging]);
const streaming = takes(["since"], { repeatable: [...sources, "type"] });
const nothing = takes([]);

/** Portions that a search for something rare may look through before it answers with what it has. */
const portions = 5;

export function createRoutes(feed: Feed): Hono {
  const routes = new Hono();

  routes.post("/events", async (c) => c.json(await feed.publish(await eventFrom(c)), 201));

  routes.get("/events", searching, async (c) => {
    const wanted = query(c);
    const { limit = 50 } = wanted;
    const found: EventPage = { events: [], next: wanted.cursor ?? null };
    for (let i = 0; i < portions; i++) {
      const left = limit - found.events.length;
      const portion = await feed.log.search({ ...wanted, limit: left, cursor: found.next ?? undefined });
      found.events.push(...portion.events);
      found.next = portion.next;
      if (portion.next === null || found.events.length >= limit) break;
    }
    return c.json(reply(found));
  });

  routes.get("/events/:id", nothing, async (c) => {
    const event = await feed.log.get(c.req.param("id"));
    if (!event) throw unknown(c.req.param("id"));
    return c.json(toWire(event));
  });

  routes.get("/stats", nothing, async (c) =>
    c.json({ ...(await feed.log.stats()), streams: feed.hub.stats() }),
  );

  routes.get("/stream", streaming, async (c) => {
    const types = list(c, "type");
    const from = list(c, ...sources);
    const filter = types || from ? { types, sources: from } : undefined;
    if (c.req.method === "HEAD") return c.body(null, 200, { "content-type": "text/event-stream" });
    return feed.hub.connect(c.req.raw, { server: c.env, filter, since: text(c, "since") });
  });

  routes.get("/tree", takes(["orphans", ...paging]), async (c) => {
    const orphans = flag(c, "orphans");
    return c.json(reply(await (orphans ? feed.log.orphans(page(c)) : feed.log.roots(page(c)))));
  });

  routes.get("/tree/:id", takes(["maxDepth", ...paging]), async (c) => {
    const id = c.req.param("id");
    const found = await feed.log.subtree(id, { ...page(c), maxDepth: integer(c, "maxDepth") });
    if (!found) throw unknown(id);
    const events = found.entries.map(({ event, depth }) => ({ ...toWire(event), depth }));
    return c.json({ events, count: events.length, next: found.next });
  });

  routes.get("/tree/:id/children", takes(paging), async (c) =>
    c.json(reply(await feed.log.children(c.req.param("id"), page(c)))),
  );

  routes.get("/tree/:id/path", takes(["limit"]), async (c) => {
    const id = c.req.param("id");
    const found = await feed.log.path(id, integer(c, "limit"));
    if (!found) throw unknown(id);
    return c.json({ events: found.events.map(toWire), count: found.events.length, complete: found.complete });
  });

  routes.get("/_panel", (c) => c.html(panel));

  return routes;
}
