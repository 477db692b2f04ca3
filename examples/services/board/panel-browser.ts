/** As much of a browser as the panel's script uses, for its tests. It has no way to turn text into elements. */
import type { TestHarness } from "../../../src/core/testing.js";
import { renderPanel } from "./panel.js";
import type { Status } from "./task.js";

const PROXY = "/proxy/for-tests";

export class FakeElement {
  className = "";
  title = "";
  type = "";
  disabled = false;
  isConnected = true;
  nodes: (FakeElement | string)[] = [];
  readonly #listeners: (() => Promise<void>)[] = [];

  constructor(readonly tagName: string) {}

  append(...nodes: (FakeElement | string)[]): void {
    this.nodes.push(...nodes);
  }

  replaceChildren(...nodes: (FakeElement | string)[]): void {
    this.nodes = nodes;
  }

  set textContent(text: string) {
    this.nodes = text === "" ? [] : [text];
  }

  set innerHTML(_html: string) {
    throw new Error("the panel may not build HTML from text");
  }

  setAttribute(name: string): void {
    if (name.startsWith("on")) throw new Error("the panel may not build handlers from text");
  }

  addEventListener(_event: "click", listener: () => Promise<void>): void {
    this.#listeners.push(listener);
  }

  async click(): Promise<void> {
    for (const listener of this.#listeners) await listener();
  }

  get children(): FakeElement[] {
    return this.nodes.filter((node) => node instanceof FakeElement);
  }

  /** The text of this element and everything in it. */
  text(): string {
    return this.nodes.map((node) => (typeof node === "string" ? node : node.text())).join("");
  }

  /** This element's descendants that `where` accepts, in the order of the page. */
  all(where: (element: FakeElement) => boolean): FakeElement[] {
    return this.children.flatMap((child) => [...(where(child) ? [child] : []), ...child.all(where)]);
  }
}

/** Runs the script of the panel's fragment; its requests go to the harness, or to `answer`. */
export async function runPanel(t: TestHarness, answer?: () => Response) {
  const script = /<script>([\s\S]*)<\/script>/.exec(renderPanel())?.[1] ?? "";
  const root = new FakeElement("div");
  const pending = new Set<Promise<unknown>>();
  const timers = new Set<() => void>();
  const page = { root, answer, hidden: false };

  const fetch = (url: string, init: RequestInit = {}): Promise<Response> => {
    if (!url.startsWith(PROXY)) throw new Error(`the panel asked for ${url}, past the proxy`);
    const headers = Object.fromEntries(new Headers(init.headers));
    const { method, body } = init;
    const reply = page.answer
      ? Promise.resolve(page.answer())
      : t.fetch(url.slice(PROXY.length), { method, headers, auth: true, body: body ?? undefined });
    pending.add(reply);
    void reply.finally(() => pending.delete(reply));
    return reply;
  };
  const document = {
    get hidden() {
      return page.hidden;
    },
    getElementById: (id: string) => (id === "board-root" ? root : null),
    createElement: (tag: string) => new FakeElement(tag),
  };
  const setInterval = (fn: () => void) => {
    timers.add(fn);
    return fn;
  };
  const clearInterval = (fn: () => void) => timers.delete(fn);
  /** Resolves when all requests are answered and what waited for them has run. */
  const settled = async () => {
    do await new Promise(setImmediate);
    while (pending.size > 0);
    await new Promise(setImmediate);
  };

  const names = ["document", "fetch", "setInterval", "clearInterval", "PANEL_API"];
  new Function(...names, script)(document, fetch, setInterval, clearInterval, PROXY);
  await settled();

  const sections = () => root.all(({ tagName }) => tagName === "section");
  const titlesIn = (section: FakeElement) =>
    section.all(({ className }) => className === "title").map((title) => title.text());
  return Object.assign(page, {
    /** Lets the poll timer fire once. */
    async tick(): Promise<void> {
      for (const fn of timers) fn();
      await settled();
    },
    polling: () => timers.size > 0,
    notice: () => root.children[0]?.text() ?? "",
    /** The titles of the cards in each column, by the column's heading. */
    columns: () =>
      Object.fromEntries(sections().map((section) => [section.children[0]?.text() ?? "", titlesIn(section)])),
    /** The column that shows a card with this title. */
    statusOf(title: string): Status | undefined {
      const at = sections().findIndex((section) => titlesIn(section).includes(title));
      return (["open", "in_progress", "blocked", "in_review", "done"] as const)[at];
    },
    button(label: string): FakeElement {
      const [found] = root.all((element) => element.tagName === "button" && element.text() === label);
      if (!found) throw new Error(`there is no button "${label}"`);
      return found;
    },
  });
}
