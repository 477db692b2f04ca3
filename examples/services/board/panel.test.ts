import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { createBoardHarness } from "./board-harness.js";
import { renderPanel } from "./panel.js";
import { FakeElement, runPanel } from "./panel-browser.js";
import type { Task } from "./task.js";

const { t, send, newTask, taskIn } = await createBoardHarness();
afterAll(() => t.cleanup());

beforeEach(async () => {
  for (const { id } of (await send("GET", "/tasks")).data.tasks as Task[])
    await send("DELETE", `/tasks/${id}`);
});

describe("the fragment", () => {
  test("needs the token and is the same whatever is on the board", async () => {
    const before = await t.json("/board/_panel", { auth: true });
    await newTask({ title: "<script>alert(1)</script>", description: "</script>" });
    const after = await t.json("/board/_panel", { auth: true });
    expect(before.headers.get("content-type")).toMatch(/^text\/html/);
    expect(after.data).toBe(before.data);
    expect((await t.json("/board/_panel")).status).toBe(401);
  });

  test("is one style scoped to the panel, its root, and one script of its own", () => {
    const html = renderPanel();
    const style = /<style>([^<]*)<\/style>/.exec(html)?.[1] ?? "";
    const selectors = [...style.matchAll(/(^|\n)([^\n{}]+)\{/g)].flatMap(
      ([, , list]) => list?.split(",") ?? [],
    );
    expect(selectors.length).toBeGreaterThan(5);
    for (const selector of selectors) expect(selector.trim()).toStartWith(".panel-board");
    expect(html.match(/<script|<\/script/g)).toEqual(["<script", "</script"]);
    expect(html).not.toMatch(/innerHTML|insertAdjacentHTML|document\.write|eval\(/);
    expect(html).toMatch(/<script>\s*\(function/);
  });
});

describe("in the browser", () => {
  test("shows the tasks in columns, as text only", async () => {
    const title = `<img src=x onerror="alert('1')">`;
    await newTask({ title, assignee: "<b>bob</b>", tags: ["<i>"], description: '"><script>' });
    await taskIn("done");
    const page = await runPanel(t);
    expect(page.columns()).toEqual({
      "Open (1)": [title],
      "In progress (0)": [],
      "Blocked (0)": [],
      "In review (0)": [],
      "Done (1)": ["Paint"],
    });
    expect(page.root.text()).toContain("<b>bob</b>");
    const tags = page.root.all((node) => node instanceof FakeElement).map(({ tagName }) => tagName);
    expect(new Set(tags)).toEqual(new Set(["div", "p", "section", "h3", "article", "span", "button"]));
  });

  const clicks: Array<[label: string, from: Task["status"], to: Task["status"]]> = [
    ["Start", "open", "in_progress"],
    ["Submit", "in_progress", "in_review"],
    ["Block", "in_progress", "blocked"],
    ["Resume", "blocked", "in_progress"],
    ["Approve", "in_review", "done"],
    ["Back to work", "in_review", "in_progress"],
    ["Reopen", "done", "open"],
  ];
  test.each(clicks)("%s takes a task from %s to %s", async (label, from, to) => {
    const { id } = await taskIn(from);
    const page = await runPanel(t);
    await page.button(label).click();
    expect((await send("GET", `/tasks/${id}`)).data.status).toBe(to);
    expect(page.notice()).toBe("");
    expect(page.statusOf("Paint")).toBe(to);
  });

  test("says why a click failed, and shows the present state", async () => {
    const { id } = await taskIn("in_review");
    const page = await runPanel(t);
    await send("POST", `/tasks/${id}/approve`);
    await page.button("Approve").click();
    expect(page.notice()).toBe("Approve failed: only a task in review can be approved; this one is done");
    expect(page.statusOf("Paint")).toBe("done");
  });

  test("polls while it is visible and in the page, and draws only what has changed", async () => {
    await newTask();
    const page = await runPanel(t);
    const drawn = page.root.children[1]?.children[0];
    await page.tick();
    expect(page.root.children[1]?.children[0]).toBe(drawn as FakeElement);
    await newTask({ title: "Second" });
    page.hidden = true;
    await page.tick();
    expect(page.columns()["Open (1)"]).toEqual(["Paint"]);
    page.hidden = false;
    await page.tick();
    expect(page.columns()["Open (2)"]).toEqual(["Paint", "Second"]);
    page.root.isConnected = false;
    await page.tick();
    expect(page.polling()).toBe(false);
  });

  test("says when the board is unavailable, and that what it shows is old", async () => {
    await newTask();
    const page = await runPanel(t);
    page.answer = () => Response.json({ error: "the <server> is shutting down" }, { status: 503 });
    await page.tick();
    expect(page.notice()).toMatch(/^The board is unavailable: the <server> is shutting down\. Last update: /);
    expect(page.columns()["Open (1)"]).toEqual(["Paint"]);
    page.answer = undefined;
    await page.tick();
    expect(page.notice()).toBe("");

    const late = await runPanel(t, () => new Response("no JSON", { status: 502 }));
    expect(late.notice()).toBe("The board is unavailable: status 502.");
  });

  test("says how many tasks a column leaves out", async () => {
    for (let n = 0; n < 52; n++) await newTask({ title: `Task ${n}` });
    const page = await runPanel(t);
    expect(page.columns()["Open (52)"]).toHaveLength(50);
    expect(page.root.text()).toContain("and 2 more");
  });
});
