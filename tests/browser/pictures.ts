/** Takes the pictures in docs/images anew: `node_modules/.bin/bun tests/browser/pictures.ts`. */
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import type { BrowserContextOptions, Page } from "playwright-core";
import { openBrowser } from "../support/browser.js";
import { Dashboard } from "../support/dashboard.js";
import { TOKEN } from "../support/sandbox.js";

const ROOT = join(import.meta.dir, "..", "..");
const DESKTOP = { viewport: { width: 1280, height: 800 } };
const API = { viewport: { width: 1280, height: 860 } };
const PHONE = { viewport: { width: 360, height: 740 } };

const greeter = {
  "greeter/greeting.ts": 'export const greeting = "hello";\n',
  "greeter/index.ts": `import { Hono } from "hono";
import { greeting } from "./greeting.js";
export default {
  name: "greeter",
  description: "Says hello",
  routes: new Hono().get("/", (c) => c.text(greeting)),
};
`,
  "greeter/greeter.test.ts": `import { expect, test } from "bun:test";
import { greeting } from "./greeting.js";
test("says hello", () => expect(greeting).toBe("hello"));
`,
};
const broken = {
  "broken/index.ts": `export default {
  name: "broken",
  init() {
    throw new Error("no database configured");
  },
};
`,
};

const browser = await openBrowser();
const dashboard = await Dashboard.start({
  services: ["agent", "board", "broker", "docs", "feed", "installer", "log", "pi", "reports"],
  files: { ...greeter, ...broken },
});

async function picture(
  name: string,
  path: string,
  prepare: (page: Page) => Promise<unknown>,
  options: BrowserContextOptions = {},
): Promise<void> {
  const { page, close } = await dashboard.open(browser, path, {
    colorScheme: "dark",
    ...DESKTOP,
    ...options,
  });
  await prepare(page);
  await page.screenshot({ path: join(ROOT, "docs", "images", `${name}.png`) });
  await close();
}

async function call(path: string, body?: unknown): Promise<Record<string, string>> {
  const response = await dashboard.call(path, "POST", body);
  if (response.status >= 300) throw new Error(`POST ${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as Record<string, string>;
}

async function publish(source: string, type: string, content: string, parentId?: string): Promise<string> {
  const { id } = await call("/feed/events", { source, type, content, ...(parentId && { parentId }) });
  return id as string;
}

async function calculate(times: number): Promise<void> {
  for (let n = 0; n < times; n++) await call("/broker/call/com.example.math-plugin/math/add", { a: n, b: 1 });
}

/** A morning's work: agents that report to each other, tasks, and methods that were called. */
async function fill(): Promise<void> {
  for (const plugin of ["math", "notes"]) {
    symlinkSync(join(ROOT, "examples", "plugins", plugin), join(dashboard.sandbox.servicesDir, plugin));
  }
  await call("/broker/reload");
  await calculate(12);
  const work = await publish("dora", "agent_started", "dora started working");
  const finding = await publish("dora", "finding", "The invoices of March are missing two pages", work);
  await publish("board", "question", "Who has the originals?", finding);
  await publish("dora", "decision", "Ask the archive; go on with April meanwhile", work);
  await publish("dora", "agent_finished", "dora finished", work);
  await publish("cleo", "agent_failed", "cleo failed: no more budget");
  for (const title of ["Paint the shed", "Fix the door", "Write the report"]) {
    await call("/board/tasks", { title, createdBy: "me" });
  }
}

async function sendExample(page: Page): Promise<void> {
  await page.getByText("Set token").click();
  await page.getByLabel("Your token").fill(TOKEN);
  await page.getByText("Token set").click();
  const form = page.getByRole("form", { name: "Try POST/board/tasks" });
  await form.getByRole("button", { name: "Send" }).click();
  await form.getByText("Created").first().waitFor();
}

try {
  await fill();
  await picture("dashboard-overview", "/ui", (page) => page.getByText("Write the report").waitFor());
  await picture("dashboard-broker", "/ui/broker", async (page) => {
    await page.getByRole("link", { name: "math.add" }).waitFor();
    // The page draws the latency of each interval in which there were calls.
    for (let n = 0; n < 20; n++) {
      await calculate(n);
      await page.waitForTimeout(500);
    }
  });
  dashboard.sandbox.services({ "greeter/greeting.ts": 'export const greeting = "helo";\n' });
  await picture("dashboard-deploy", "/ui/services/greeter", async (page) => {
    await page.getByRole("button", { name: "Deploy", exact: true }).click();
    await page.getByText("1 of 1 tests failed").last().waitFor();
  });
  const selectStep = async (page: Page) => {
    await page.getByText("load skipped").first().click();
    await page.getByRole("button", { name: "Copy link" }).waitFor();
  };
  await picture("dashboard-events", "/ui/events", selectStep);
  await picture("dashboard-phone", "/ui/events", (page) => page.getByText("cleo failed").waitFor(), PHONE);
  for (const colorScheme of ["light", "dark"] as const) {
    await picture(`api-${colorScheme}`, "/docs/ui#POST/board/tasks", sendExample, { colorScheme, ...API });
  }
} finally {
  await browser.close();
  await dashboard.stop();
}
