/** The page in a real browser. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Hono } from "hono";
import type { Browser } from "playwright-core";
import { LogBook } from "../../../src/core/log.js";
import { type RunningServer, startServer } from "../../../src/core/server.js";
import type { ServiceModule } from "../../../src/core/types.js";
import {
  hasBrowser,
  openBrowser,
  seriousFindings,
  type WatchedPage,
  watchedPage,
} from "../../../tests/support/browser.js";
import { answering, eventually, Sandbox, TOKEN } from "../../../tests/support/sandbox.js";
import { createDocs } from "../index.js";

const HOSTILE =
  '<img src=x onerror="window.hit=1"><script>window.hit=1</script> **bold** [x](javascript:hit()) `c`';

function notes(): ServiceModule {
  const routes = new Hono();
  const texts: string[] = [];
  routes.get("/", (c) => c.json({ texts, count: texts.length, tag: c.req.query("tag") }));
  routes.post("/", async (c) => {
    texts.push((await c.req.json()).text);
    return c.json({ id: texts.length }, 201);
  });
  routes.get("/:id{[0-9]+}", (c) => c.json({ text: texts[Number(c.req.param("id")) - 1] ?? null }));
  routes.get(
    "/stream",
    () =>
      new Response(
        new ReadableStream({
          start(controller) {
            controller.enqueue(new TextEncoder().encode("data: first\n\n"));
          },
        }),
        { headers: { "content-type": "text/event-stream" } },
      ),
  );
  return {
    name: "notes",
    description: "Notes to keep",
    routes,
    routeDocs: {
      "GET /": {
        summary: "List notes",
        query: { tag: { type: "string", description: "Only with this tag" } },
      },
      "POST /": {
        summary: "Keep a note",
        body: { text: { type: "string", required: true, description: "What it says" } },
        response: "201 { id }",
        examples: [{ summary: "A note", body: { text: "it's here" } }],
      },
      "GET /:id": { summary: "Read a note" },
      "GET /stream": { summary: "Follow the notes", response: "200 text/event-stream" },
    },
  };
}

function hostile(): ServiceModule {
  const field = { type: HOSTILE, required: true, description: HOSTILE };
  return {
    name: "hostile",
    description: HOSTILE,
    routes: new Hono().post("/", (c) => c.html(HOSTILE)),
    routeDocs: {
      "POST /": {
        summary: HOSTILE,
        detail: HOSTILE,
        query: { [HOSTILE]: field },
        body: { [HOSTILE]: field },
        response: HOSTILE,
        responses: { 200: { description: HOSTILE, example: HOSTILE } },
        examples: [{ summary: HOSTILE, body: HOSTILE }, { summary: HOSTILE }],
      },
    },
    eventDocs: { [HOSTILE]: { description: HOSTILE } },
    capabilities: [],
  };
}

describe.skipIf(!hasBrowser)("the documentation page in a browser", () => {
  const sandbox = new Sandbox({ "late/index.ts": answering("late", "hi") });
  const open: WatchedPage[] = [];
  let reef: RunningServer;
  let browser: Browser;

  beforeAll(async () => {
    reef = await startServer({
      modules: [notes(), hostile(), createDocs()],
      servicesDir: sandbox.servicesDir,
      dataDir: sandbox.dataDir,
      port: 0,
      authToken: TOKEN,
      logs: new LogBook(() => undefined),
    });
    await reef.settled;
    browser = await openBrowser();
  }, 30_000);

  afterAll(async () => {
    await browser.close();
    await reef.stop();
    sandbox.remove();
  });

  async function visit(hash = "", options = {}): Promise<WatchedPage> {
    const watched = await watchedPage(browser, reef.url, options);
    open.push(watched);
    await watched.page.goto(`${reef.url}/docs/ui${hash}`);
    await watched.page.getByText("Set token").waitFor();
    return watched;
  }

  /** Nothing was loaded from elsewhere and nothing went wrong; closes the page. */
  async function isClean({ strangers, complaints, close }: WatchedPage): Promise<void> {
    await close();
    expect(strangers).toEqual([]);
    expect(complaints).toEqual([]);
  }

  test("search, open a route, try it with a token, copy it as curl", async () => {
    const grant = { permissions: ["clipboard-read", "clipboard-write"] };
    const watched = await visit("", grant);
    const { page } = watched;
    const search = page.getByRole("searchbox");
    // The page is there to be read before it listens to keys.
    await eventually(async () => {
      await page.keyboard.press("/");
      return search.evaluate((field) => field === document.activeElement);
    }, "the focus");
    await search.fill("");
    await page.keyboard.type("keep note");
    await page.getByText("1 match", { exact: true }).waitFor();
    expect(await page.locator("details.route").count()).toBe(1);
    await page.keyboard.press("ArrowDown");
    await page.getByRole("link", { name: "POST /notes" }).click();
    expect(decodeURIComponent(new URL(page.url()).hash)).toBe("#POST/notes");

    const form = page.getByRole("form", { name: "Try POST/notes" });
    await form.getByRole("button", { name: "Send" }).click();
    await form.getByText("401").waitFor();
    await form.getByRole("button", { name: "Enter yours" }).click();
    await page.keyboard.type(TOKEN);
    await page.getByText("Token set").click();
    await form.getByRole("button", { name: "Send" }).click();
    await form.getByText("201").waitFor();
    await form.getByText('"id": 1').waitFor();

    await form.getByRole("button", { name: "Copy as curl" }).click();
    await form.getByText("Copied.").waitFor();
    const curl = await page.evaluate<string>("navigator.clipboard.readText()");
    expect(curl).toContain('-H "Authorization: Bearer $VERS_AUTH_TOKEN"');
    expect(curl).not.toContain(TOKEN);
    const shell = Bun.spawn(["sh", "-c", curl], {
      env: { ...process.env, VERS_AUTH_TOKEN: TOKEN },
      stderr: "ignore",
    });
    expect(JSON.parse(await new Response(shell.stdout).text())).toEqual({ id: 2 });
    const list = await fetch(`${reef.url}/notes`, { headers: { authorization: `Bearer ${TOKEN}` } });
    expect((await list.json()).texts).toEqual(["it's here", "it's here"]);
    watched.complaints.splice(
      0,
      watched.complaints.length,
      ...watched.complaints.filter((text) => !text.includes("401")),
    );
    await isClean(watched);
  });

  test("a deep link opens its route, and opening a route makes one", async () => {
    const watched = await visit("#GET/notes/:id");
    const { page } = watched;
    await page.getByRole("form", { name: "Try GET/notes/:id" }).waitFor();
    expect(await page.locator("details.route[open]").count()).toBe(1);
    await page.locator("summary", { hasText: "List notes" }).click();
    await page.waitForURL("**/docs/ui#GET/notes");
    await isClean(watched);
  });

  test("a token stays in memory unless its owner wants it kept for the tab", async () => {
    const watched = await visit();
    const { page } = watched;
    const stored = () =>
      page.evaluate<string>("JSON.stringify({ ...sessionStorage, ...localStorage }) + document.cookie");
    await page.getByText("Set token").click();
    await page.getByLabel("Your token").fill(TOKEN);
    expect(await stored()).not.toContain(TOKEN);
    await page.getByLabel("Keep until this tab is closed").check();
    expect(await page.evaluate<string>("JSON.stringify({ ...sessionStorage })")).toContain(TOKEN);
    expect(await page.evaluate<string>("JSON.stringify({ ...localStorage })")).not.toContain(TOKEN);
    await page.reload();
    await page.getByText("Token set").waitFor();
    await page.getByText("Token set").click();
    await page.getByLabel("Keep until this tab is closed").uncheck();
    expect(await stored()).not.toContain(TOKEN);
    await isClean(watched);
  });

  test("a stream is shown as it arrives and can be stopped", async () => {
    const watched = await visit("#GET/notes/stream");
    const { page } = watched;
    await page.getByText("Set token").click();
    await page.getByLabel("Your token").fill(TOKEN);
    await page.getByText("Token set").click();
    const form = page.getByRole("form", { name: "Try GET/notes/stream" });
    await form.getByRole("button", { name: "Send" }).click();
    await form.getByText("data: first").waitFor();
    await form.getByRole("button", { name: "Stop" }).click();
    await form.getByText("Cancelled.").waitFor();
    expect(
      await form.getByRole("region", { name: "The request as a curl command" }).textContent(),
    ).toStartWith("curl -N ");
    await isClean(watched);
  });

  test("markup, markdown and script of authors stay text", async () => {
    const watched = await visit("#POST/hostile");
    const { page } = watched;
    await page.getByRole("form", { name: "Try POST/hostile" }).waitFor();
    expect(await page.locator("main img, main script, main b, main strong, main em").count()).toBe(0);
    expect(await page.locator("a[href^=javascript]").count()).toBe(0);
    expect(await page.evaluate("window.hit")).toBeUndefined();
    expect(await page.getByText(HOSTILE).count()).toBeGreaterThan(8);
    await isClean(watched);
  });

  test("without its script the page is complete", async () => {
    const watched = await watchedPage(browser, reef.url, { javaScriptEnabled: false });
    await watched.page.goto(`${reef.url}/docs/ui`);
    await watched.page.locator("summary", { hasText: "Keep a note" }).click();
    expect(await watched.page.getByText("What it says").isVisible()).toBe(true);
    await isClean(watched);
  });

  test("follows the services without being reloaded, and says when the server is gone", async () => {
    const watched = await visit();
    const { page } = watched;
    await page.clock.install();
    await page.reload();
    await page.getByText("Set token").waitFor();
    expect(await page.getByRole("heading", { name: "late", exact: true }).count()).toBe(1);
    await reef.registry.view().unload("late");
    await page.clock.runFor(5100);
    await page.getByRole("heading", { name: "late", exact: true }).waitFor({ state: "detached" });
    await page.route("**/docs", (route) => route.abort());
    await page.clock.runFor(5100);
    await page.getByText("The server is not responding.").waitFor();
    await page.unroute("**/docs");
    await page.clock.runFor(5100);
    await page.getByText("The server is not responding.").waitFor({ state: "detached" });
    await watched.close();
    expect(watched.strangers).toEqual([]);
  });

  test.each(["light", "dark"] as const)(
    "has no serious barrier for anybody, in %s colours",
    async (colorScheme) => {
      const watched = await visit("#POST/notes", { colorScheme });
      const { page } = watched;
      await page.getByRole("form").first().waitFor();
      expect(await seriousFindings(page)).toEqual([]);
      await page.getByText("Set token").click();
      await page.getByLabel("Your token").fill("wrong");
      await page.getByRole("button", { name: "Send" }).click();
      await page.getByText("401").waitFor();
      expect(await seriousFindings(page)).toEqual([]);
      await page.getByLabel("Search the documentation").fill("nothing like this");
      await page.getByText("No matches").waitFor();
      expect(await seriousFindings(page)).toEqual([]);
      await watched.close();
      expect(watched.strangers).toEqual([]);
    },
  );

  test("the choice of colours is kept and wins over the system's", async () => {
    const watched = await visit("", { colorScheme: "light" });
    const { page } = watched;
    const background = () => page.evaluate<string>("getComputedStyle(document.body).backgroundColor");
    const light = await background();
    await page.getByLabel("Theme").selectOption("dark");
    const dark = await background();
    expect(dark).not.toBe(light);
    await page.reload();
    await page.getByText("Set token").waitFor();
    expect(await background()).toBe(dark);
    await isClean(watched);
  });

  test("nothing is cut off at 360 pixels", async () => {
    const watched = await visit("#POST/notes", { viewport: { width: 360, height: 740 } });
    await watched.page.getByRole("form").first().waitFor();
    const overflow = await watched.page.evaluate("document.documentElement.scrollWidth - innerWidth");
    expect(overflow).toBeLessThanOrEqual(0);
    await isClean(watched);
  });
});

test("the page is sent with a policy that allows its own script and style only", async () => {
  const sandbox = new Sandbox();
  const reef = await startServer({
    modules: [createDocs()],
    dataDir: sandbox.dataDir,
    port: 0,
    authToken: TOKEN,
    logs: new LogBook(() => undefined),
  });
  const policy = (await fetch(`${reef.url}/docs/ui`)).headers.get("content-security-policy") ?? "";
  await reef.stop();
  sandbox.remove();
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("script-src 'self';");
  expect(policy).not.toContain("unsafe");
});
