import type { FleetClient, ServiceModule } from "../../src/core/types.js";
import { registerBehaviors } from "./behaviors.js";
import { routeDocs } from "./docs.js";
import { Feed } from "./feed.js";
import { createRoutes } from "./routes.js";
import { registerTools } from "./tools.js";

const feed = new Feed();

/** The first line of an event, and whose it is where it does not begin with that. */
function toLine({ source, content }: { source: string; content: string }): string {
  const line = (content.split("\n", 1)[0] ?? "").slice(0, 80);
  const names = line.startsWith(source) && /^(?:[\s:,]|$)/.test(line.slice(source.length));
  return names ? line : `${source}: ${line}`;
}

const service: ServiceModule = {
  name: "feed",
  description: "Event feed for people and agents: publish, search, stream and browse threads",
  routes: createRoutes(feed),
  routeDocs,
  registerTools,
  toolAnnotations: { feed_thread: { readOnly: true } },
  registerBehaviors: (pi, client) => registerBehaviors(pi, client),
  widget: {
    async getLines(client: FleetClient) {
      const { count, events } = await client.api("GET", "/feed/events?limit=3");
      if (count === 0) return ["Feed: no events yet"];
      return (events as { source: string; content: string }[]).map(toLine);
    },
  },
  init: (ctx) => feed.open(ctx),
};

export default service;
