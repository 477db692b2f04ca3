/** Panels in a real browser: those written for the contract run as they are, and none disturbs the dashboard. */
import { expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { describeInBrowser } from "../support/in-browser.js";
import { withPanel } from "../support/panel.js";

/** Written from the contract's description of panels, by somebody who knows nothing of frames. */
const CONTRACT_PANEL = `
<style>
  .panel-things { padding: 8px; }
  .panel-things .card { background: var(--bg-card, #1a1a1a); border: 1px solid var(--border, #2a2a2a); }
  .panel-things .empty { color: var(--text-dim, #666); }
</style>
<div class="panel-things" id="things-root"><div class="empty">Loading…</div></div>
<p id="heard"></p>
<script>
(function () {
  const root = document.getElementById("things-root");
  const API = typeof PANEL_API !== "undefined" ? PANEL_API : "/ui/api";
  function esc(s) { const d = document.createElement("div"); d.textContent = s || ""; return d.innerHTML; }
  async function load() {
    try {
      const res = await fetch(API + "/things/items");
      if (!res.ok) throw new Error(res.status);
      const data = await res.json();
      root.innerHTML = (data.items || []).map((item) => '<div class="card">' + esc(item.name) + "</div>").join("")
        || '<div class="empty">No items</div>';
    } catch (e) {
      root.innerHTML = '<div class="empty">Unavailable: ' + esc(e.message) + "</div>";
    }
  }
  load();
  setInterval(load, 300);
  fetch(API + "/things/stream").then((res) => {
    const reader = res.body.getReader();
    const dec = new TextDecoder();
    let buf = "";
    (async function read() {
      while (true) {
        const { done, value } = await reader.read();
        if (done) break;
        buf += dec.decode(value, { stream: true });
        const lines = buf.split("\\n");
        buf = lines.pop() || "";
        for (const line of lines) {
          if (line.startsWith("data: ")) document.getElementById("heard").textContent += JSON.parse(line.slice(6)).word + " ";
        }
      }
    })();
  });
})();
</script>`;

const THINGS = `
const items = [];
routes.get("/items", (c) => c.json({ items, count: items.length }));
routes.post("/items", async (c) => { items.push(await c.req.json()); return c.json({}, 201); });
const waiting = new Set();
routes.get("/stream", (c) => new Response(new ReadableStream({ start(controller) {
  controller.enqueue(new TextEncoder().encode(": hello\\n\\n"));
  waiting.add(controller);
} }), { headers: { "content-type": "text/event-stream" } }));
routes.post("/say", async (c) => {
  const text = "data: " + JSON.stringify(await c.req.json()) + "\\n\\n";
  for (const controller of waiting) controller.enqueue(new TextEncoder().encode(text));
  return c.json({ heard: waiting.size });
});`;

const HELPED = `<ul id="list"></ul><script>
  Reef.api("GET", "/helped/greeting").then(({ text }) => { document.getElementById("list").innerHTML = Reef.escape(text); });
  Reef.api("GET", "/helped/nothing").catch((error) => Reef.toast(error.status + " " + error.message, "error"));
  Reef.stream("/helped/stream", (event) => { document.body.append(event.word); });
</script>`;

const HELPED_ROUTES = `
routes.get("/greeting", (c) => c.json({ text: "<b>&'\\"</b>" }));
routes.get("/stream", (c) => new Response(c.req.header("last-event-id") === "7" ? 'id: 8\\ndata: {"word":"again"}\\n\\n' : 'id: 7\\ndata: {"word":"once"}\\n\\n',
  { headers: { "content-type": "text/event-stream" } }));`;

const files = {
  "things/index.ts": withPanel("things", CONTRACT_PANEL, THINGS),
  "helped/index.ts": withPanel("helped", HELPED, HELPED_ROUTES),
  "tall/index.ts": withPanel("tall", `<div id="box" style="height:700px">tall</div>`),
  "growing/index.ts": withPanel("growing", `<div style="height:calc(100vh + 50px)">growing</div>`),
  "crashing/index.ts": withPanel(
    "crashing",
    `<script>setTimeout(() => { throw new Error("on purpose"); });</script>`,
  ),
  "endless/index.ts": withPanel(
    "endless",
    `<p>busy</p><script>setTimeout(() => { while (true); }, 200);</script>`,
  ),
  "hanging/index.ts": `import { Hono } from "hono";
const routes = new Hono();
routes.get("/_panel", () => new Promise(() => {}));
export default { name: "hanging", routes };`,
  "asking/index.ts": withPanel(
    "asking",
    `<p id="said"></p><script>Reef.api("GET", "/things/items").then(() => { document.getElementById("said").textContent = "allowed"; });</script>`,
    "",
    `capabilities: ["panel:things"]`,
  ),
};

describeInBrowser("panels", { files }, (t) => {
  const visit = (name: string, use: (page: Page) => Promise<void>, colorScheme: "dark" | "light" = "dark") =>
    t.visit(`/ui/panels/${name}`, use, { colorScheme });

  test("run unchanged when they are written for the contract", async () => {
    await visit("things", async (page) => {
      const panel = page.frameLocator("iframe");
      await panel.getByText("No items").waitFor();
      await t.call("/things/items", "POST", { name: "<i>a thing</i>" });
      await panel.getByText("<i>a thing</i>").waitFor();
      await t.call("/things/say", "POST", { word: "streamed" });
      await panel.getByText("streamed").waitFor();
    });
  });

  test("find a helper that calls, escapes, follows a stream where it was, and says things", async () => {
    await visit("helped", async (page) => {
      const panel = page.frameLocator("iframe");
      await panel.getByText(`<b>&'"</b>`).waitFor();
      await page.getByText("panel helped").waitFor();
      await page.getByText("404 not found").waitFor();
      await panel.getByText("again").first().waitFor();
      expect((await panel.locator("body").textContent())?.match(/once/g)).toHaveLength(1);
    });
  });

  test("follow the theme and take the height they need", async () => {
    await visit("tall", async (page) => {
      const frame = page.locator("iframe");
      const panel = page.frameLocator("iframe");
      const colour = () => panel.locator("body").evaluate("getComputedStyle(document.body).backgroundColor");
      await panel.getByText("tall").waitFor();
      expect(await colour()).toBe("rgb(15, 18, 20)");
      await page.getByRole("button", { name: "Theme: system" }).click();
      await panel.locator("html[data-theme=light]").waitFor();
      expect(await colour()).toBe("rgb(244, 246, 247)");
      await panel.locator("#box").evaluate("document.getElementById('box').style.height = '1000px'");
      await page.locator("iframe[style*='1000px']").waitFor();
      expect(await frame.evaluate((element) => element.scrollHeight)).toBeGreaterThanOrEqual(1000);
    });
  });

  test("cannot make the page grow for ever", async () => {
    await visit("growing", async (page) => {
      const height = async () => (await page.locator("iframe").boundingBox())?.height ?? 0;
      await page.frameLocator("iframe").getByText("growing").waitFor();
      let before = -1;
      for (let now = await height(); now !== before; now = await height()) {
        before = now;
        await page.waitForTimeout(700);
      }
      expect(before).toBeLessThanOrEqual(8000);
    });
  });

  test("may call the services that their module asks for", async () => {
    await visit("asking", (page) => page.frameLocator("iframe").getByText("allowed").waitFor());
  });

  const usable = async (page: Page) => {
    await page.getByRole("link", { name: "things", exact: true }).click();
    await page.frameLocator("iframe").locator("#things-root").waitFor();
  };

  test("that throw are named, and nothing else suffers", async () => {
    await visit("crashing", async (page) => {
      await page.getByText(/reported an error: .*on purpose/).waitFor();
      await usable(page);
    });
  });

  test("that never stop computing are said not to answer, and nothing else suffers", async () => {
    await visit("endless", async (page) => {
      await page.getByText("The panel is not responding").waitFor({ timeout: 20_000 });
      await usable(page);
    });
  }, 30_000);

  test("that never come are said not to answer, and nothing else suffers", async () => {
    await visit("hanging", async (page) => {
      await page.getByText("The panel is not responding").waitFor({ timeout: 20_000 });
      await usable(page);
    });
  }, 30_000);

  test("that were opened while the server was away come when it is back", async () => {
    await visit("tall", async (page) => {
      await page.frameLocator("iframe").getByText("tall").waitFor();
      await t.dashboard.restart(async () => {
        await page.getByText(/Connection lost/).waitFor();
        await page.getByRole("link", { name: "growing", exact: true }).click();
        await page.getByRole("heading", { name: "growing" }).waitFor();
        await page.locator("iframe").waitFor();
      });
      await page.frameLocator("iframe").getByText("growing").waitFor();
    });
  }, 30_000);

  test("get a new address by themselves after a restart of the server", async () => {
    await visit("things", async (page) => {
      const panel = page.frameLocator("iframe");
      await panel.locator("#things-root").waitFor();
      await page.waitForTimeout(5500);
      await t.dashboard.restart();
      await t.call("/things/items", "POST", { name: "after the restart" });
      await panel.getByText("after the restart").waitFor();
    });
  }, 30_000);
});
