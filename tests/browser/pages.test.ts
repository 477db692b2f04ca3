/** The pages for plugins, tools, agents and the installer, in a real browser. */
import { beforeAll, expect, test } from "bun:test";
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { describeInBrowser } from "../support/in-browser.js";
import { answering, eventually } from "../support/sandbox.js";

const PLUGINS = join(import.meta.dir, "..", "..", "examples", "plugins");
const MATH = "com.example.math-plugin";
const NOTES = "com.example.notes-plugin";

describeInBrowser("the dashboard's pages", { services: ["feed", "board", "broker", "installer"] }, (t) => {
  beforeAll(async () => {
    for (const name of ["math", "notes"])
      symlinkSync(join(PLUGINS, name), join(t.dashboard.sandbox.servicesDir, name));
    await t.call("/broker/reload", "POST");
  });

  test("let a method be called, and say why a call was refused", async () => {
    await t.visit("/ui/broker", async (page) => {
      await page.getByRole("link", { name: "math.add" }).click();
      const input = page.getByLabel("Input (JSON)");
      await eventually(async () => (await page.title()) === "math.add · Broker · Reef", "the method's title");
      expect(JSON.parse(await input.inputValue())).toEqual({ a: 0, b: 0 });
      await input.fill('{ "a": 2, "b": 40 }');
      await page.getByRole("button", { name: "Call", exact: true }).click();
      await page.getByRole("region", { name: "Result" }).getByText("42").waitFor();
      await input.fill('{ "a": "two" }');
      await page.getByRole("button", { name: "Call", exact: true }).click();
      await page.getByRole("region", { name: "Denied" }).waitFor();
      await input.fill("{");
      await page.getByText("The input is not valid JSON").waitFor();
      expect(await page.getByRole("button", { name: "Call", exact: true }).isDisabled()).toBe(true);
      // Two groups of calls make a trend.
      await page
        .getByRole("img", { name: /mean latency/ })
        .locator("canvas")
        .waitFor();
    });
  });

  test("say in words what a chart would show whose code cannot be had", async () => {
    const { page, close } = await t.open(`/ui/broker/${MATH}/math/add`);
    await page.getByText("Live", { exact: true }).waitFor();
    await page.context().route(/\/ui\/assets\/chunk-/, (route) => route.fulfill({ status: 404 }));
    for (let calls = 0; calls < 2; calls++) {
      await page.getByRole("button", { name: "Call", exact: true }).click();
      await page.getByRole("region", { name: "Result" }).waitFor();
      await page.waitForTimeout(300);
    }
    await page.getByText(/^mean latency, ms: \d/).waitFor();
    await close();
  });

  test("say what two plugins may do together, and who stands in the way", async () => {
    await t.visit("/ui/broker", async (page) => {
      await page.getByLabel("Caller").selectOption(MATH);
      await page.getByLabel("Callee").selectOption(NOTES);
      await page.getByText("nothing").first().waitFor();
      await page.getByRole("textbox", { name: "Permission" }).fill("fs-read");
      await page.getByRole("textbox", { name: "Resource" }).fill("/etc/passwd");
      await page.getByRole("button", { name: "Check", exact: true }).click();
      const verdict = page.getByText(/^Denied: /);
      await verdict.waitFor();
      expect(await verdict.textContent()).toContain(MATH);
      // What was said belongs to what was asked.
      await page.getByRole("textbox", { name: "Resource" }).fill("/etc/hosts");
      await verdict.waitFor({ state: "detached" });
    });
  });

  test("list the tools that agents get, and find them", async () => {
    await t.visit("/ui/tools", async (page) => {
      const tool = (name: string) => page.getByRole("code").filter({ hasText: name });
      await tool("board_create_task").waitFor();
      await page.getByRole("searchbox").fill("review");
      await tool("board_create_task").waitFor({ state: "detached" });
      await tool("board_submit_for_review").waitFor();
    });
  });

  test("show an agent as soon as it says that it works, and what became of it", async () => {
    await t.visit("/ui/agents", async (page) => {
      await page.getByText("No agents yet").waitFor();
      const say = (type: string, content: string) =>
        t.call("/feed/events", "POST", { type, source: "ada", content, role: "worker" });
      await say("agent_started", "ada started working");
      await page.getByRole("row", { name: /ada/ }).getByText("working", { exact: true }).waitFor();
      await say("agent_failed", "ada failed: no budget");
      await page.getByRole("row", { name: /ada/ }).getByText("failed", { exact: true }).waitFor();
    });
  });

  test("install a service after a question, and remove it after another", async () => {
    const source = t.dashboard.sandbox.write(
      "elsewhere/visitor/index.ts",
      `import { Hono } from "hono";\nexport default { name: "visitor", routes: new Hono().get("/", (c) => c.text("hi")) };\n`,
    );
    await t.visit("/ui/installer", async (page) => {
      await page.getByText("Live", { exact: true }).waitFor();
      await page.getByLabel("Source").fill(source.replace("/index.ts", ""));
      await page.getByRole("button", { name: "Install", exact: true }).click();
      await page.getByRole("dialog").waitFor();
      let lists = 0;
      page.on("request", (request) => request.url().endsWith("/installer/installed") && lists++);
      await page.getByRole("dialog").getByRole("button", { name: "Install" }).click();
      await page.getByRole("row", { name: /visitor/ }).waitFor();
      expect(await (await t.call("/visitor")).text()).toBe("hi");
      await page.getByText("visitor was installed.").waitFor();
      // Once for the job's end, and once for the reply, whatever steps there were.
      expect(lists).toBeLessThanOrEqual(2);
      await page.getByRole("button", { name: "Remove: visitor" }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
      await page.getByRole("row", { name: /visitor/ }).waitFor({ state: "detached" });
      expect((await t.call("/visitor")).status).toBe(404);
    });
  });

  test("lead from an installed plugin to its methods", async () => {
    const method = { name: "double", inputSchema: { type: "object" } };
    const services = [{ name: "doubler", main: "main.ts", methods: [method] }];
    const { sandbox } = t.dashboard;
    sandbox.write(
      "elsewhere/doubler/package.json",
      JSON.stringify({ name: "doubler", version: "1.0.0", reef: { permissions: [], services } }),
    );
    sandbox.write("elsewhere/doubler/main.ts", "export default { services: { doubler: { double() {} } } };");
    const source = join(sandbox.root, "elsewhere", "doubler");
    const reply = await t.call("/installer/install", "POST", { source });
    expect(await reply.json()).toMatchObject({ name: "doubler", kind: "plugin" });
    await t.visit("/ui/installer", async (page) => {
      await page
        .getByRole("row", { name: /doubler/ })
        .getByRole("link", { name: "doubler" })
        .click();
      await page.getByRole("link", { name: "doubler.double" }).waitFor();
    });
    await t.call("/installer/remove", "POST", { name: "doubler" });
  });

  test("follow what is installed and removed elsewhere", async () => {
    const source = t.dashboard.sandbox.write(
      "elsewhere/guest/index.ts",
      `import { Hono } from "hono";\nexport default { name: "guest", routes: new Hono().get("/", (c) => c.text("hi")) };\n`,
    );
    await t.visit("/ui/installer", async (page) => {
      await page.getByText("No installed services").waitFor();
      await t.call("/installer/install", "POST", { source: source.replace("/index.ts", "") });
      await page.getByRole("row", { name: /guest/ }).waitFor();
      await t.call("/installer/remove", "POST", { name: "guest" });
      await page.getByRole("row", { name: /guest/ }).waitFor({ state: "detached" });
    });
  });

  test("say calmly what to do while a service is absent, and fill when it comes", async () => {
    await t.call("/services/broker", "DELETE");
    await t.visit("/ui/broker", async (page) => {
      await page.getByText("The service “broker” is not loaded").waitFor();
      await page.getByText(/curl -X POST .*\/services\/deploy/).waitFor();
      await t.call("/services/reload", "POST");
      await page.getByRole("link", { name: "math.add" }).waitFor();
    });
  });

  test("say how to switch a service on again that is switched off, and fill when it is", async () => {
    const off = await t.call("/services/disable/board", "POST", { reason: "to see what is said" });
    expect(off.status).toBe(200);
    await t.visit("/ui/panels/board", async (page) => {
      await page.getByText(/It is disabled/).waitFor();
      await page.getByText(/curl -X POST .*\/services\/enable\/board /).waitFor();
      expect((await t.call("/services/enable/board", "POST")).status).toBe(200);
      await page.frameLocator("iframe").getByText("Open (0)").waitFor();
    });
    await t.call("/services/disable/broker", "POST", {});
    await t.visit("/ui/broker", async (page) => {
      await page.getByText("The service “broker” is not loaded").waitFor();
      await page.getByText(/curl -X POST .*\/services\/enable\/broker /).waitFor();
      await t.call("/services/enable/broker", "POST");
      await page.getByRole("link", { name: "math.add" }).waitFor();
    });
  });

  test("give every page and action as a command line", async () => {
    const write = (path: string, text: string) => t.dashboard.sandbox.write(`elsewhere/guest/${path}`, text);
    const index = write("index.ts", answering("guest", "hello"));
    const from = { source: index.replace("/index.ts", ""), link: false };
    expect((await t.call("/installer/install", "POST", from)).status).toBe(201);
    write("more.ts", "export const more = 1;\n");
    expect((await t.call("/installer/update", "POST", { name: "guest" })).status).toBe(200);
    const expected: Record<string, string[]> = {
      "/ui": ["GET /services"],
      "/ui/services": ["GET /services", "POST /services/reload", "POST /services/reload/guest"],
      "/ui/services/guest": [
        "GET /services/guest",
        "POST /services/deploy",
        "POST /services/reload/guest",
        "POST /services/rollback/guest",
        "GET /services/export/guest",
        "POST /services/disable/guest",
        "DELETE /services/guest",
      ],
      "/ui/events?type=note": ["GET /feed/events?limit=200&type=note"],
      "/ui/broker": ["GET /broker", `POST /broker/release/${encodeURIComponent("@a/b")}/c`],
      "/ui/agents": ["GET /feed/events?type=agent_started&limit=200"],
      "/ui/installer": [
        "GET /installer/installed",
        "POST /installer/update (guest)",
        "POST /installer/rollback (guest)",
        "POST /installer/remove (guest)",
      ],
      "/ui/panels/board": ["GET /board/_panel"],
    };
    const { page, close } = await t.open();
    // A worker that rests, without having it fail again and again.
    const resting = { service: "@a/b/c", state: "resting", inFlight: 0, queued: 0, quarantine: null };
    await page.route("**/ui/api/broker", async (route) => {
      const reply = await route.fetch();
      await route.fulfill({ response: reply, json: { ...(await reply.json()), workers: [resting] } });
    });
    for (const [path, calls] of Object.entries(expected)) {
      await page.goto(t.url + path);
      for (const call of calls)
        await page
          .getByRole("button", { name: `Copy as curl: ${call}`, exact: true })
          .first()
          .waitFor();
    }
    await page.goto(`${t.url}/ui/services/guest`);
    const restore = page
      .getByRole("row")
      .filter({ has: page.getByRole("button", { name: /^Roll back to this/ }) });
    await restore
      .getByRole("button", { name: /^Copy as curl: POST \/services\/rollback\/guest \(/ })
      .first()
      .waitFor();
    await t.call("/services/disable/guest", "POST", {});
    await page
      .getByRole("button", { name: "Copy as curl: POST /services/enable/guest", exact: true })
      .waitFor();
    await close();
  }, 60_000);
});
