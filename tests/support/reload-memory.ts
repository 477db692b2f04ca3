/** Reloads a service that holds 1 MiB again and again, and prints what remains of it as JSON. */
import { answering, startReef } from "./sandbox.js";

const [reloads = 100, warmUp = 50] = process.argv.slice(2).map(Number);

const source = (version: number) => `import { Hono } from "hono";
const held = new Uint8Array(1024 * 1024).fill(${version % 256});
const strings = Array.from({ length: 1000 }, (_, n) => "held " + n + " ${version}");
setInterval(() => held[0]++, 1000);
process.on("SIGUSR2", () => {});
const routes = new Hono();
routes.get("/", (c) => c.text(String(held.length + strings.length)));
export default {
  name: "heavy", routes,
  registerTools(pi) { pi.registerTool({ name: "heavy_tool", description: String(held.length) }); },
  init(ctx) {
    ctx.events.on("a", () => held.length);
    ctx.events.on("b", () => held.length);
    ctx.setInterval(() => held[1]++, 1000);
    ctx.onDispose(() => { held[2] = 1; });
  },
};
`;

const reef = await startReef({ "heavy/index.ts": source(0), "other/index.ts": answering("other", "x") });

async function reload(times: number, from: number): Promise<void> {
  for (let n = from; n < from + times; n++) {
    reef.sandbox.services({ "heavy/index.ts": source(n) });
    await reef.ctx.registry.load("heavy");
    if ((await reef.text("/heavy")) !== String(1024 * 1024 + 1000))
      throw new Error(`reload ${n} answered wrongly`);
  }
  while (reef.ctx.registry.get("heavy")?.draining) await Bun.sleep(5);
}

function left() {
  Bun.gc(true);
  const { ledger, listensTo } = reef.ctx.registry.get("heavy") ?? {};
  return {
    handlers: ledger?.handlers,
    timers: ledger?.timers,
    disposers: ledger?.disposers,
    processListeners: ledger?.processListeners,
    onProcess: process.listenerCount("SIGUSR2"),
    listensTo,
    rss: process.memoryUsage.rss(),
  };
}

await reload(warmUp, 1);
const before = left();
await reload(reloads, warmUp + 1);
const after = left();
console.log(JSON.stringify({ before, after }));
await reef.end();
process.exit(0);
