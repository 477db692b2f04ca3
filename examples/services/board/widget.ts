import type { FleetClient, ServiceWidget } from "../../../src/core/types.js";
import type { Status } from "./task.js";

/** One line: `board: 3 open · 1 in progress · 0 blocked · 2 in review`. */
export const widget: ServiceWidget = {
  async getLines(client: FleetClient) {
    if (!client.getBaseUrl()) return [];
    const { counts } = await client.api<{ counts: Record<Status, number> }>("GET", "/board/summary");
    const { done: _, ...unfinished } = counts;
    const parts = Object.entries(unfinished).map(([status, tasks]) => `${tasks} ${status.replace("_", " ")}`);
    return [`board: ${parts.join(" · ")}`];
  },
};
