import { afterAll, describe, expect, test } from "bun:test";
import { createTestHarness, type TestHarness } from "../../src/core/testing.js";
import type { WireEvent } from "../../src/core/tree/wire.js";
import { EventLogError } from "../../src/core/tree.js";
import type { ServiceContext, ServiceModule } from "../../src/core/types.js";
import feed from "./index.js";

interface List {
  events: (WireEvent & { depth?: number })[];
  count: number;
  next: string | null;
  complete?: boolean;
  error?: string;
}

let context: ServiceContext | undefined;
const heard: WireEvent[] = [];
const publisher: ServiceModule = {
  name: "publisher",
  dependencies: ["feed"],
  init(ctx) {
    context = ctx;
    ctx.events.on("reef:event", (event) => {
      heard.push(event);
    });
  },
};

const harness: Promise<TestHarness> = createTestHarness({ services: [feed, publisher] });
afterAll(async () => (await harness).cleanup());

async function publish(body: unknown, headers?: Record<string, string>) {
  const t = await harness;
  return t.json<WireEvent & { error?: string }>("/feed/events", {
    method: "POST",
    auth: true,
    body,
    headers,
  });
}

async function get(path: string) {
  const t = await harness;
  return t.json<List>(path, { auth: true });
}

const ids = ({ data }: { data: List }) => data.events.map(({ id }) => id);

const note = (content: string, more: object = {}) => ({ type: "note", source: "tests", content, ...more });

describe("publishing", () => {
  test("gives the event back as it is stored", async () => {
    const { status, data } = await publish(note("hello", { taskId: 7 }));
    expect(status).toBe(201);
    expect(data).toMatchObject({
      type: "note",
      source: "tests",
      content: "hello",
      taskId: 7,
      parentId: null,
    });
    expect(data.nodeId).toBe(data.id);
    expect((await get(`/feed/events/${data.id}`)).data).toEqual(data as never);
  });

  test("takes agent and summary as well, and keeps their names", async () => {
    const { status, data } = await publish({
      agent: "ann",
      type: "task_done",
      summary: "Built it",
      detail: "all of it",
      metadata: { lines: 3 },
    });
    expect(status).toBe(201);
    expect(data).toMatchObject({
      source: "ann",
      content: "Built it",
      agent: "ann",
      summary: "Built it",
      detail: "all of it",
      metadata: { lines: 3 },
    });
  });

  test("takes the publisher and the parent from headers when the body does not say", async () => {
    const { data: parent } = await publish({ type: "a", content: "b" }, { "x-reef-agent-name": "bob" });
    expect(parent.source).toBe("bob");
    const encoded = { "x-reef-agent-name": "J%C3%BCrgen" };
    expect((await publish({ type: "a", content: "b" }, encoded)).data.source).toBe("Jürgen");
    const header = { "x-reef-parent": parent.id };
    expect((await publish(note("x"), header)).data.parentId).toBe(parent.id);
    expect((await publish(note("x", { parentId: null }), header)).data.parentId).toBeNull();
  });

  test.each([
    ["no JSON", "{", 400, "not valid JSON"],
    ["a list", [], 400, "An event must be an object"],
    ["no type", { source: "a", content: "b" }, 400, '"type"'],
    ["nobody", { type: "a", content: "b" }, 400, '"source"'],
    ["no content", { type: "a", source: "b" }, 400, '"content"'],
    ["a number", { type: "a", source: "b", content: 7 }, 400, '"content"'],
    ["its own id", note("x", { id: "mine" }), 400, '"id" is reserved'],
    ["an unknown parent", note("x", { parentId: "00000000-0000-7000-8000-000000000000" }), 400, "no event"],
    ["an object as parent", note("x", { parentId: {} }), 400, "parentId"],
    ["too much", note("x".repeat(70_000)), 400, "65536"],
    ["nothing", "", 400, "An event must be an object"],
    ["deep nesting", `{"type":${"[".repeat(1001)}${"]".repeat(1001)}}`, 400, "nested too deeply"],
  ])("refuses %s", async (_what, body, status, error) => {
    const before = (await get("/feed/stats")).data.count;
    const reply = await publish(body);
    expect(reply.status).toBe(status);
    expect(reply.data.error).toContain(error);
    expect((await get("/feed/stats")).data.count).toBe(before);
  });

  test("refuses what is not UTF-8", async () => {
    const t = await harness;
    const before = (await get("/feed/stats")).data.count;
    const body = Buffer.from(JSON.stringify(note("caf\u00e9")), "latin1");
    const reply = await t.fetch("/feed/events", { method: "POST", auth: true, body });
    expect([reply.status, await reply.json()]).toEqual([
      400,
      { error: "the request body is not valid JSON" },
    ]);
    expect((await get("/feed/stats")).data.count).toBe(before);
  });

  test("reaches the services that listen, without being stored twice", async () => {
    const { data } = await publish(note("to everyone"));
    while (!heard.some(({ id }) => id === data.id)) await Bun.sleep(1);
    expect(ids(await get("/feed/events?q=everyone"))).toEqual([data.id]);
  });

  test("answers 507 when the disk is full", async () => {
    const t = await harness;
    const full = { ...note("x"), toJSON: undefined };
    const { log } = (await import("../../src/core/event-store.js")).eventStoreOf({ dataDir: t.dataDir });
    const append = log.append;
    log.append = async () => {
      throw new EventLogError("full", "There is no room on the disk: the event was not stored.");
    };
    try {
      const { status, data } = await publish(full);
      expect([status, data.error]).toEqual([507, expect.stringContaining("no room")]);
    } finally {
      log.append = append;
    }
    expect((await publish(full)).status).toBe(201);
  });

  test("needs the token", async () => {
    const t = await harness;
    for (const path of ["/feed/events", "/feed/stream", "/feed/stats", "/feed/tree"]) {
      expect((await t.fetch(path)).status).toBe(401);
    }
  });
});

describe("what services emit", () => {
  test("as reef:event is stored when emit resolves, and comes back with its place in the tree", async () => {
    await harness;
    const parent = await context?.events.emit("reef:event", { type: "a", content: "from a service" });
    expect(parent.source).toBe("publisher");
    expect((await get(`/feed/events/${parent.nodeId}`)).data).toEqual(parent);
    const child = { type: "b", source: "other", content: "child", parentId: parent.nodeId };
    context?.events.fire("reef:event", child);
    while (!heard.some(({ parentId }) => parentId === parent.nodeId)) await Bun.sleep(1);
    expect((await get(`/feed/tree/${parent.nodeId}/children`)).data.events).toMatchObject([child]);
  });

  test("as anything else is not stored", async () => {
    await harness;
    const before = (await get("/feed/stats")).data.count;
    await context?.events.emit("publisher:thing", { type: "a", source: "b", content: "c" });
    expect((await get("/feed/stats")).data.count).toBe(before);
  });

  test("wrongly is refused", async () => {
    await harness;
    for (const data of [undefined, null, "text", [], { type: "a" }, { type: "a", content: 1 }]) {
      const emitted = context?.events.emit("reef:event", data) ?? Promise.resolve();
      expect(emitted).rejects.toBeInstanceOf(EventLogError);
      await emitted.catch(() => undefined);
    }
  });
});

describe("listing", () => {
  test("filters by agent, type, words and time, newest first, in pages", async () => {
    const made: WireEvent[] = [];
    for (let i = 0; i < 6; i++) {
      const type = i % 2 ? "odd" : "even";
      made.push((await publish({ type, agent: "lister", summary: `listed number${i}` })).data);
    }
    const [n0, n1, n2, n3, n4, n5] = made.map(({ id }) => id) as [
      string,
      string,
      string,
      string,
      string,
      string,
    ];
    expect(ids(await get("/feed/events?agent=lister"))).toEqual([n5, n4, n3, n2, n1, n0]);
    expect(ids(await get("/feed/events?agent=lister&type=odd"))).toEqual([n5, n3, n1]);
    expect(ids(await get("/feed/events?q=listed+number4"))).toEqual([n4]);
    expect(ids(await get(`/feed/events?agent=lister&since=${n3}`))).toEqual([n5, n4]);
    expect(ids(await get(`/feed/events?agent=lister&since=${made[0]?.time}&until=2000-01-01`))).toEqual([]);
    const first = await get("/feed/events?agent=lister&limit=4");
    expect([first.data.count, ids(first)]).toEqual([4, [n5, n4, n3, n2]]);
    const second = await get(`/feed/events?agent=lister&limit=4&cursor=${first.data.next}`);
    expect([second.data.next, ids(second)]).toEqual([null, [n1, n0]]);
  });

  test.each([
    "/feed/events?limit=0",
    "/feed/events?limit=ten",
    "/feed/events?limit=1001",
    "/feed/events?since=yesterday",
    "/feed/events?since=2020-02-31",
    "/feed/events?until=2020-13-01",
    "/feed/events?cursor=x",
    "/feed/events?after=nonsense",
    "/feed/events?limit=1&limit=x",
    "/feed/stats?since=2020-01-01",
    "/feed/tree?cursor=x",
    "/feed/tree?orphans=maybe",
    "/feed/tree?since=2020-01-01",
    "/feed/tree/nothing?maxDepth=deep",
    "/feed/tree/nothing?depth=1",
    "/feed/tree/nothing/children?limit=0",
    "/feed/tree/nothing/children?before=x",
    "/feed/tree/nothing/path?limit=1001",
    "/feed/tree/nothing/path?cursor=x",
    "/feed/stream?after=nonsense",
    "/feed/tree?limit=-1",
    "/feed/stream?since=rubbish",
  ])("%s is refused", async (path) => {
    const { status, data } = await get(path);
    expect([status, typeof data.error]).toEqual([400, "string"]);
  });

  test("an unknown parameter is named in the refusal, with those that there are", async () => {
    const { data } = await get("/feed/events?after=nonsense");
    expect(data.error).toContain('"after"');
    expect(data.error).toContain("since");
  });

  test.each(["/feed/events/nothing", "/feed/tree/nothing", "/feed/tree/nothing/path", "/feed/elsewhere"])(
    "%s is not found",
    async (path) => {
      const { status, data } = await get(path);
      expect([status, typeof data.error]).toEqual([404, "string"]);
    },
  );

  test("statistics count by type and by source", async () => {
    await publish({ type: "counted", source: "counter", content: "" });
    await publish({ type: "counted", source: "counter", content: "" });
    const { data } = await get("/feed/stats");
    expect(data).toMatchObject({ byType: { counted: 2 }, bySource: { counter: 2 }, streams: { clients: 0 } });
  });
});

test("the tree: roots, a thread with depths, the path to the root", async () => {
  const { data: root } = await publish(note("root"));
  const { data: child } = await publish(note("child", { parentId: root.id }));
  const { data: leaf } = await publish(note("leaf", { parentId: child.id }));
  const { data: second } = await publish(note("second", { parentId: root.id }));
  expect(ids(await get("/feed/tree?limit=1"))).toEqual([root.id]);
  const thread = await get(`/feed/tree/${root.id}`);
  expect(thread.data.events.map(({ id, depth }) => [id, depth])).toEqual([
    [root.id, 0],
    [child.id, 1],
    [leaf.id, 2],
    [second.id, 1],
  ]);
  expect(ids(await get(`/feed/tree/${root.id}?maxDepth=0`))).toEqual([root.id]);
  const path = await get(`/feed/tree/${leaf.id}/path`);
  expect([ids(path), path.data.complete]).toEqual([[root.id, child.id, leaf.id], true]);
  expect((await get("/feed/tree?orphans=true")).data).toEqual({ events: [], count: 0, next: null });
});

describe("the stream", () => {
  /** Reads a stream the way panels do: by the lines that begin with `data: `. */
  async function* follow(path: string, headers?: Record<string, string>): AsyncGenerator<WireEvent> {
    const t = await harness;
    const response = await t.fetch(path, { auth: true, headers });
    const decoder = new TextDecoder();
    let rest = "";
    for await (const bytes of response.body ?? []) {
      const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) if (line.startsWith("data: ")) yield JSON.parse(line.slice(6));
    }
  }

  async function take(events: AsyncGenerator<WireEvent>, count: number): Promise<WireEvent[]> {
    const taken: WireEvent[] = [];
    for await (const event of events) if (taken.push(event) === count) break;
    return taken;
  }

  test("goes on after Last-Event-ID, then live", async () => {
    const { data: first } = await publish(note("1"));
    const { data: second } = await publish(note("2"));
    const reading = take(follow("/feed/stream", { "last-event-id": first.id }), 2);
    const { data: third } = await publish(note("3"));
    expect(await reading).toEqual([second, third]);
  });

  test("takes ?since= and filters by agent and type", async () => {
    const { data: start } = await publish(note("start"));
    await publish({ type: "x", agent: "streamer", summary: "1" });
    await publish({ type: "y", agent: "streamer", summary: "2" });
    await publish({ type: "x", agent: "other", summary: "3" });
    await publish({ type: "z", agent: "streamer", summary: "4" });
    const path = `/feed/stream?since=${start.id}&agent=streamer`;
    expect((await take(follow(path), 3)).map(({ content }) => content)).toEqual(["1", "2", "4"]);
    expect((await take(follow(`${path}&type=y,z`), 2)).map(({ content }) => content)).toEqual(["2", "4"]);
  });

  test("says so once when the place is unknown", async () => {
    const unknown = "ffffffff-ffff-7fff-bfff-ffffffffffff";
    const reading = take(follow("/feed/stream", { "last-event-id": unknown }), 2);
    while ((await get("/feed/stats")).data.count === 0) await Bun.sleep(1);
    const t = await harness;
    const clients = async () => (await t.json("/feed/stats", { auth: true })).data.streams.clients;
    while ((await clients()) === 0) await Bun.sleep(1);
    const { data } = await publish(note("after the reset"));
    const [reset, event] = await reading;
    expect(reset).toMatchObject({ type: "reset", reason: "unknown" });
    expect(event).toEqual(data);
  });

  test("answers HEAD without opening a stream", async () => {
    const t = await harness;
    const response = await t.fetch("/feed/stream", { method: "HEAD", auth: true });
    expect([response.status, response.headers.get("content-type")]).toEqual([200, "text/event-stream"]);
  });
});

test("the panel is a fragment with its own style and script, and nothing from elsewhere", async () => {
  const t = await harness;
  const response = await t.fetch("/feed/_panel", { auth: true });
  const text = await response.text();
  expect(response.headers.get("content-type")).toContain("text/html");
  expect(text).toContain('class="panel-feed"');
  expect(text).not.toMatch(/https?:\/\/|innerHTML|<html|<body/);
  const script = /<script>([\s\S]*)<\/script>/.exec(text)?.[1] ?? "";
  expect(() => new Function(script)).not.toThrow();
});

test("a server that stops ends its streams at once", async () => {
  const t = await createTestHarness({ services: [feed] });
  const response = await t.fetch("/feed/stream", { auth: true });
  const reading = response.text();
  // A stream that has to be waited for takes the whole minute, and the test fails.
  await t.server.close(60_000);
  expect(await reading).toContain("retry:");
  await t.cleanup();
});
