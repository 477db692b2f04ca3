/** The list of events in a real browser: what stands in it, where it stands, and what narrows it down. */
import { expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { describeInBrowser } from "../support/in-browser.js";
import { eventually } from "../support/sandbox.js";

/** Time for what was typed to be taken up. */
const SETTLE_MS = 600;

/** The height of a row. */
const ROW = 40;
/** More events than one request brings. */
const MANY = 240;

describeInBrowser("the list of events", { services: ["feed"] }, (t) => {
  async function publish(content: string, more: Record<string, unknown> = {}): Promise<string> {
    const reply = await t.call("/feed/events", "POST", {
      type: "note",
      source: "test",
      content,
      ...more,
    });
    return ((await reply.json()) as { id: string }).id;
  }

  const row = (page: Page, text: string) => page.getByRole("treeitem").filter({ hasText: text });

  /** Resolves when the row can be seen where the list stands, and stays there. */
  async function inView(page: Page, text: string): Promise<void> {
    const isInView = async () => {
      const [list, line] = [await page.getByRole("tree").boundingBox(), await row(page, text).boundingBox()];
      return list && line && line.y >= list.y && line.y + line.height <= list.y + list.height;
    };
    await row(page, text).waitFor();
    await eventually(isInView, `${text} in view`, 10_000);
    await page.waitForTimeout(SETTLE_MS);
    expect(await isInView()).toBe(true);
  }

  test("has only what passes the filter, also beside an event that is open", async () => {
    const plan = await publish("the plan", { type: "plan" });
    await publish("a remark", { parentId: plan });
    const { page, close } = await t.open(`/ui/events/${plan}?type=note`);
    await page.getByRole("region", { name: "Event" }).getByText("the plan").waitFor();
    await row(page, "a remark").click();
    await page.getByRole("navigation", { name: "Caused by" }).getByText("the plan").waitFor();
    await page.getByText(/^1 events?$/).waitFor();
    expect(await page.getByRole("treeitem").count()).toBe(1);
    await close();
  });

  test("is narrowed down by what is typed, which stays as it is typed", async () => {
    await publish("hello world");
    const { page, close } = await t.open("/ui/events?type=note");
    const field = page.getByRole("searchbox");
    const asked = (q: string) => page.waitForURL((url) => url.searchParams.get("q") === q);
    await field.pressSequentially("hello ");
    await asked("hello");
    expect(await field.inputValue()).toBe("hello ");
    await field.pressSequentially("world");
    await asked("hello world");
    await row(page, "hello world").waitFor();
    // Slowly enough for each letter to be taken up before the next.
    await field.press("Home");
    await field.pressSequentially("oh ", { delay: SETTLE_MS });
    await asked("oh hello world");
    expect(await field.inputValue()).toBe("oh hello world");
    await close();
  });

  test("is narrowed down by what the address says, and not by what was typed before", async () => {
    const { page, close } = await t.open("/ui/events?type=note");
    const field = page.getByRole("searchbox");
    await field.fill("zzznothing");
    await page.getByText("No matches").waitFor();
    await page.getByRole("button", { name: "Clear" }).click();
    expect(await field.inputValue()).toBe("");
    await row(page, "a remark").waitFor();
    await page.evaluate(
      "history.pushState(null, '', '/ui/events?q=remark'); dispatchEvent(new Event('popstate'))",
    );
    await row(page, "hello world").first().waitFor({ state: "detached" });
    expect(await field.inputValue()).toBe("remark");
    // What is still being typed is let go as well.
    await field.fill("zzznothing");
    await page.getByRole("button", { name: "Clear" }).click();
    await page.waitForTimeout(SETTLE_MS);
    expect([await field.inputValue(), new URL(page.url()).search]).toEqual(["", ""]);
    await field.fill("zzznothing");
    await page.getByRole("link", { name: "Agents", exact: true }).click();
    await page.waitForTimeout(SETTLE_MS);
    expect(page.url()).toEndWith("/ui/agents");
    expect(new URL(page.url()).search).toBe("");
    await close();
  });

  test("stays where it is being read when answers come in above, also when another event is open", async () => {
    const open = await publish("open");
    for (let index = 0; index < 60; index++) await publish(`between ${index}`);
    const above = await publish("above");
    for (let index = 0; index < 10; index++) await publish(`further up ${index}`);
    const { page, close } = await t.open(`/ui/events/${open}`);
    await page.getByText("Live", { exact: true }).waitFor();
    await inView(page, "open");
    await page.getByRole("tree").hover();
    await page.mouse.wheel(0, -25 * ROW);
    await page.locator(`#event-${open}`).waitFor({ state: "detached" });
    const top = async () => (await row(page, "between 30").boundingBox())?.y ?? 0;
    let stood = 0;
    await eventually(async () => {
      const last = stood;
      stood = await top();
      await page.waitForTimeout(50);
      return stood !== 0 && stood === last;
    }, "a list that stands");
    await publish("an answer", { parentId: above });
    await publish("another thread");
    await page.getByRole("button", { name: "1 new" }).waitFor();
    expect(await top()).toBe(stood);
    await close();
  });

  test("shows the row of the event that the address names, however far down", async () => {
    const far = await publish("far down");
    for (let index = 0; index < MANY / 2; index++) await publish(`older ${index}`);
    const near = await publish("half way down");
    for (let index = 0; index < MANY / 2; index++) await publish(`newer ${index}`);
    const { page, close } = await t.open();
    for (const [id, text] of [
      [near, "half way down"],
      [far, "far down"],
    ] as const) {
      await page.goto(`${t.url}/ui/events/${id}`);
      await inView(page, text);
      await page.reload();
      await inView(page, text);
      await page.getByRole("link", { name: "Services", exact: true }).click();
      await page.getByRole("tree").waitFor({ state: "detached" });
      await page.goBack();
      await inView(page, text);
    }
    await close();
  });

  test("goes nowhere from a thread's beginning with ←, and from an answer to what it answers", async () => {
    const question = await publish("a question");
    const answer = await publish("its answer", { parentId: question });
    await publish("the latest");
    const { page, close } = await t.open(`/ui/events/${answer}`);
    const list = page.getByRole("tree");
    const chosen = page.getByRole("treeitem", { selected: true });
    await chosen.filter({ hasText: "its answer" }).waitFor();
    await list.press("ArrowLeft");
    await chosen.filter({ hasText: "a question" }).waitFor();
    // The first closes the thread, the second has nowhere to go.
    await list.press("ArrowLeft");
    await page.locator(`#event-${answer}`).waitFor({ state: "detached" });
    await list.press("ArrowLeft");
    await list.press("ArrowRight");
    await page.locator(`#event-${answer}`).waitFor();
    await chosen.filter({ hasText: "a question" }).waitFor();
    expect(page.url()).toEndWith(question);
    await close();
  });
});
