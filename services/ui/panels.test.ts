import { describe, expect, test } from "bun:test";
import { Hono } from "hono";
import type { ServiceContext, ServiceModule } from "../../src/core/types.js";
import { withoutFrames } from "./panel/frames.js";
import { panelDocument } from "./panel-document.js";
import { listPanels, PanelGrants, panelPolicy, reachable, readPanel } from "./panels.js";

describe("an address given to a panel", () => {
  const alive = () => true;

  test("stands for its service and session, a quarter of an hour after its last use", () => {
    let now = 0;
    const grants = new PanelGrants(() => now);
    const token = grants.issue("board", "session");
    for (const minutes of [14, 14, 14]) {
      now += minutes * 60_000;
      expect(grants.find(token, alive)).toMatchObject({ service: "board", session: "session" });
    }
    now += 15 * 60_000;
    expect(grants.find(token, alive)).toBeUndefined();
  });

  test("is dead when its session is", () => {
    const grants = new PanelGrants();
    const token = grants.issue("board", "session");
    expect(grants.find(token, (id) => id !== "session")).toBeUndefined();
  });

  test("cannot be had without being issued, and there are at most a thousand", () => {
    const grants = new PanelGrants();
    const first = grants.issue("board", "session");
    expect(grants.find(first.slice(0, -1), alive)).toBeUndefined();
    for (let index = 0; index < 1000; index++) grants.issue("board", "session");
    expect(grants.find(first, alive)).toBeUndefined();
  });
});

const module = (name: string, routes?: Hono, more: Partial<ServiceModule> = {}): ServiceModule => ({
  name,
  routes,
  ...more,
});
const context = (modules: ServiceModule[]) =>
  ({
    getModules: () => modules,
    getModule: (name: string) => modules.find((candidate) => candidate.name === name),
  }) as unknown as ServiceContext;

test("services with the route have a panel, others are not asked", async () => {
  const routed = new Hono().get("/_panel", (c) => c.html(""));
  const nested = new Hono().route(
    "/",
    new Hono().on("GET", "/_panel", (c) => c.html("")),
  );
  const posting = new Hono().post("/_panel", (c) => c.html(""));
  const catching = new Hono().get("/:id", (c) => c.json({}));
  const modules = [
    module("routed", routed),
    module("nested", nested),
    module("posting", posting),
    module("catching", catching),
    module("bare"),
    module("root", routed, { mountAtRoot: true }),
  ];
  expect(listPanels(context(modules))).toEqual(["routed", "nested"]);
});

test("a panel reaches its own service, and those that its module asks for", () => {
  const ctx = context([module("board", undefined, { capabilities: ["panel:feed", "admin"] })]);
  expect([...reachable("board", ctx)]).toEqual(["board", "feed"]);
  expect([...reachable("unknown", ctx)]).toEqual(["unknown"]);
});

test("the policy names the panel's address and nothing else to connect to", () => {
  const policy = panelPolicy("http://localhost/ui/panel-api/token");
  expect(policy).toContain("connect-src http://localhost/ui/panel-api/token/;");
  expect(policy).toStartWith("sandbox allow-scripts allow-forms;");
  expect(policy).not.toContain("allow-same-origin");
});

test.each([
  ["<iframe srcdoc=x>", "<x-iframe srcdoc=x>"],
  ["<IFRAME/src=x></IFRAME>", "<x-IFRAME/src=x></x-IFRAME>"],
  ["<\u0000iframe><object\ndata=x><embed>", "<\u0000iframe><x-object\ndata=x><x-embed>"],
  ["<<iframe >", "<<x-iframe >"],
  ["<frames><iframely>", "<frames><iframely>"],
])("%j becomes %j", (html, expected) => {
  expect(withoutFrames(html)).toBe(expected);
});

test("a panel's name and address cannot break out of their attribute", async () => {
  const text = String(
    await panelDocument({ name: `"><script>`, fragment: "<p>own</p>", api: "x", script: "", theme: "dark" }),
  );
  expect(text).not.toContain(`"><script>alert`);
  expect(text.match(/<script/g)).toHaveLength(1);
  expect(text).toContain("<p>own</p>");
});

describe("reading a panel", () => {
  const answering = (reply: () => Promise<Response>) => ({ dispatch: reply }) as unknown as ServiceContext;

  test("gives HTML only", async () => {
    const html = new Response("<p>x</p>", { headers: { "content-type": "text/html; charset=utf-8" } });
    expect(
      await readPanel(
        "a",
        answering(async () => html),
      ),
    ).toBe("<p>x</p>");
    expect(
      await readPanel(
        "a",
        answering(async () => Response.json({})),
      ),
    ).toBeUndefined();
    const gone = new Response("<p>gone</p>", { status: 404, headers: { "content-type": "text/html" } });
    expect(
      await readPanel(
        "a",
        answering(async () => gone),
      ),
    ).toBeUndefined();
  });

  test("does not wait for ever, neither for the reply nor for its end", async () => {
    const never = answering(() => new Promise(() => undefined));
    expect(readPanel("a", never, 10)).rejects.toThrow('the panel of "a" did not load within');
    const headers = { "content-type": "text/html" };
    const endless = answering(
      async () => new Response(new ReadableStream({ pull: () => new Promise(() => undefined) }), { headers }),
    );
    expect(readPanel("a", endless, 10)).rejects.toThrow('the panel of "a" did not load within');
  });
});
