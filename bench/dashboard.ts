/**
 * The dashboard in a real browser: weight of the shell, time to its first paint, scrolling through 5,000 events,
 * and a burst of 1,000 events within a second. Long tasks are those that the browser itself reports, over 50 ms.
 */
import type { Page } from "playwright-core";
import { Assets } from "../services/ui/assets.js";
import { hasBrowser, openBrowser } from "../tests/support/browser.js";
import { Dashboard } from "../tests/support/dashboard.js";

const NODES = 5000;
const BURST = 1000;
const THREAD = 20;

if (!hasBrowser) throw new Error("this needs a Chromium; set CHROMIUM_PATH");

const kib = (bytes: number) => `${(bytes / 1024).toFixed(1)} KiB`;

/** Publishes events in threads; resolves when all are stored. */
async function publish(dashboard: Dashboard, count: number, overMs = 0): Promise<void> {
  const startedAt = performance.now();
  let root: string | undefined;
  const send = async (index: number, parentId?: string) => {
    const content = `Event ${index} of a bench, with a text of usual length`;
    const reply = await dashboard.call("/feed/events", "POST", {
      type: "bench",
      source: `source-${index % 7}`,
      content,
      parentId,
    });
    return ((await reply.json()) as { id: string }).id;
  };
  for (let index = 0; index < count; ) {
    root = await send(index++);
    const parent = root;
    const rest = Math.min(THREAD - 1, count - index);
    await Promise.all(Array.from({ length: rest }, (_, i) => send(index + i, parent)));
    index += rest;
    const due = (index / count) * overMs;
    await Bun.sleep(Math.max(0, due - (performance.now() - startedAt)));
  }
}

/** Lengths of the long tasks since the last call, in milliseconds. */
async function longTasks(page: Page): Promise<number[]> {
  return page.evaluate<number[]>(
    "(() => { const seen = window.longTasks ?? []; window.longTasks = []; return seen; })()",
  );
}

const watch = (page: Page) =>
  page.evaluate(`void (window.longTasks = [], new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) window.longTasks.push(Math.round(duration));
  }).observe({ type: "longtask" }))`);

const longest = (tasks: number[]) =>
  tasks.length === 0 ? "none over 50 ms" : `${Math.max(...tasks)} ms (${tasks.length} long tasks)`;

const assets = new Assets();
const entries = await assets.entries();
const sizes = assets.sizes();
const weigh = (addresses: readonly string[]) =>
  kib(addresses.reduce((sum, address) => sum + (sizes[address.split("/").at(-1) ?? ""] ?? 0), 0));
const always = [entries.script, ...entries.shared];
console.log(`script of every page, gzip: ${weigh([entries.first, ...always])} (budget 25)`);
for (const [page, file] of Object.entries(entries.pages))
  console.log(`script of ${page} besides, gzip: ${weigh([file])} (budget 7)`);
console.log(`style, gzip: ${weigh([entries.style])} (budget 5)`);
const begun = new Set([...always, ...Object.values(entries.pages)].map((file) => file.split("/").at(-1)));
const lazy = Object.keys(sizes).filter((name) => name.startsWith("chunk") && !begun.has(name));
console.log(`loaded with the first chart, gzip: ${weigh(lazy)}`);

const browser = await openBrowser();
const dashboard = await Dashboard.start({ services: ["feed"] });
try {
  await publish(dashboard, NODES);
  const { page } = await dashboard.open(browser, "/ui/events");
  await page.getByRole("tree").waitFor();
  const paint = await page.evaluate<number>(
    "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? -1",
  );
  console.log(`first contentful paint: ${Math.round(paint)} ms`);
  await watch(page);
  await page.evaluate(
    "void setTimeout(() => { const until = performance.now() + 200; while (performance.now() < until); })",
  );
  await page.waitForTimeout(500);
  console.log(`control, a task of 200 ms is reported as: ${longest(await longTasks(page))}`);

  // To the end, page by page, until everything is loaded.
  const tree = page.getByRole("tree");
  for (let rounds = 0; rounds < 400; rounds++) {
    await tree.evaluate((element) => element.scrollTo(0, element.scrollHeight));
    await page.waitForTimeout(30);
    const count = await page
      .getByRole("status")
      .filter({ hasText: /events$/ })
      .first()
      .textContent();
    if (count && !count.includes("+")) {
      console.log(`loaded: ${count}`);
      break;
    }
  }
  console.log(`loading ${NODES} events page by page, longest task: ${longest(await longTasks(page))}`);

  const frames = await tree.evaluate(async (element) => {
    const times: number[] = [];
    let before = performance.now();
    for (let at = element.scrollHeight; at > 0; at -= 400) {
      element.scrollTop = at;
      await new Promise(requestAnimationFrame);
      const now = performance.now();
      times.push(now - before);
      before = now;
    }
    return times.sort((a, b) => a - b);
  });
  const p99 = frames[Math.floor(frames.length * 0.99)] ?? 0;
  console.log(
    `scrolling ${NODES} rows: ${frames.length} frames, p50 ${frames[frames.length >> 1]?.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`,
  );
  console.log(`scrolling, longest task: ${longest(await longTasks(page))}`);

  await page.evaluate(
    "void (window.beats = [], window.lastBeat = performance.now(), setInterval(() => { const now = performance.now(); window.beats.push(now - window.lastBeat - 16); window.lastBeat = now; }, 16))",
  );
  const startedAt = performance.now();
  await publish(dashboard, BURST, 1000);
  const took = performance.now() - startedAt;
  await page.waitForTimeout(500);
  const delays = await page.evaluate<number[]>("window.beats.sort((a, b) => b - a).slice(0, 3)");
  console.log(
    `burst of ${BURST} events in ${Math.round(took)} ms, longest task: ${longest(await longTasks(page))}`,
  );
  console.log(
    `burst, worst delays of a 16 ms timer: ${delays.map((delay) => `${Math.round(delay)} ms`).join(", ")}`,
  );
  await tree.evaluate((element) => element.scrollTo(0, 0));
  await page
    .getByText(`Event ${BURST - 1} of a bench`)
    .first()
    .waitFor();
} finally {
  await browser.close();
  await dashboard.stop();
}
