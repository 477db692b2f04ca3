/** What a thousand reloads leave behind. `REEF_MEMORY_RELOADS` raises the number. */
import { expect, test } from "bun:test";
import { join } from "node:path";

const RELOADS = Number(process.env.REEF_MEMORY_RELOADS ?? 150);
const MIB = 1024 * 1024;

test(`${RELOADS} reloads of a service that holds 1 MiB leave memory, handlers and timers as they were`, async () => {
  const script = join(import.meta.dir, "support", "reload-memory.ts");
  const child = Bun.spawn([process.execPath, script, String(RELOADS)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const output = await new Response(child.stdout).text();
  expect(await child.exited).toBe(0);
  const { before, after } = JSON.parse(output);
  const { rss: rssBefore, ...ownedBefore } = before;
  const { rss: rssAfter, ...ownedAfter } = after;
  expect(ownedAfter).toEqual(ownedBefore);
  expect(ownedAfter).toMatchObject({ handlers: 2, timers: 1, onProcess: 1, listensTo: ["a", "b"] });
  const growth = (rssAfter - rssBefore) / MIB;
  if (process.env.REEF_MEMORY_RELOADS) {
    console.log(`RSS ${(rssBefore / MIB).toFixed(1)} → ${(rssAfter / MIB).toFixed(1)} MiB`);
  }
  expect(growth).toBeLessThan(15);
}, 600_000);
