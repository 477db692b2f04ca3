// One server of the comparison of publishing over HTTP; the argument says which contender it is.
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import feed from "../../services/feed/index.js";
import { eventStoreOf } from "../../src/core/event-store.js";
import { startServer } from "../../src/core/server.js";
import { idsAfter } from "../../src/core/tree/ids.js";
import { draft } from "../../src/core/tree/validate.js";
import { toWire } from "../../src/core/tree/wire.js";
import type { EventInput, EventNode } from "../../src/core/tree.js";
import { serveBench } from "../lib.js";
import { sampleEvent } from "./sample-event.js";

const mode = process.argv[2];
const folder = mkdtempSync(join(tmpdir(), "reef-bench-"));
mkdirSync(join(folder, "services"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

/** Publishing over HTTP: the feed of a whole Reef, with or without the write. */
async function publishing(stores: boolean) {
  process.env.REEF_CHECK = "off";
  const reef = await startServer({
    servicesDir: join(folder, "services"),
    dataDir: join(folder, "data"),
    modules: [feed],
    authToken: "bench-token",
    port: 0,
  });
  if (!stores) {
    let row = 0;
    let now = 0;
    let time = "";
    let last = "";
    let idOf = idsAfter(last, now, 1);
    eventStoreOf(reef.ctx).log.append = async (input) => {
      const { parentId, type, source, content, extra } = draft(input);
      row++;
      // Ids and times are made as for events that are stored: the time once for those of a moment.
      if (Date.now() !== now) {
        now = Date.now();
        time = new Date(now).toISOString();
        idOf = idsAfter(last, now, row);
      }
      last = idOf(row);
      return { id: last, parentId, type, source, content, time, extra };
    };
  }
  // A search by words waits until the indexes, which are filled in pauses, are complete.
  serveBench(reef.server.port ?? 0, () => eventStoreOf(reef.ctx).log.search({ text: "nothing" }));
}

/** The hand-written yardstick: checks the token, parses, answers; with or without a row per request. */
function rawPublishing() {
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      if (request.headers.get("authorization") !== "Bearer bench-token")
        return new Response(null, { status: 401 });
      const { type, source, content, ...extra } = (await request.json()) as EventInput;
      const event = { ...sampleEvent(content), type, source, extra: extra as EventNode["extra"] };
      return Response.json(toWire(event), { status: 201 });
    },
  });
  serveBench(server.port ?? 0);
}

if (mode === "publish-raw") rawPublishing();
else if (mode === "publish-durable") await publishing(true);
else if (mode === "publish-only") await publishing(false);
else throw new Error(`unknown contender ${mode}`);
