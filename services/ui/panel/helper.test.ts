import { describe, expect, test } from "bun:test";
import { createHelper, type PanelEvent } from "./helper.js";
import type { Tell } from "./voice.js";

const nothing = () => undefined;
/** Always seen. */
const page = Object.assign(new EventTarget(), { hidden: false });
const helper = (fetch: (path: string, init?: RequestInit) => Promise<Response>, tell: Tell = nothing) =>
  createHelper({ name: "board", api: "/api", fetch, tell, page, sleep: async () => undefined });

test("escapes for content and for quoted attributes", () => {
  const { escape: safe } = helper(async () => new Response());
  expect(safe(`<a href="x" title='y'>&</a>`)).toBe(
    "&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;&lt;/a&gt;",
  );
  expect([safe(null), safe(undefined), safe(0)]).toEqual(["", "", "0"]);
});

describe("a call", () => {
  test("sends JSON and gives the decoded reply", async () => {
    const sent: unknown[] = [];
    const { api } = helper(async (path, init) => {
      sent.push(path, init);
      return Response.json({ id: 1 });
    });
    expect(await api("POST", "/board/tasks", { title: "x" })).toEqual({ id: 1 });
    expect(sent).toEqual([
      "/api/board/tasks",
      { method: "POST", headers: { "content-type": "application/json" }, body: '{"title":"x"}' },
    ]);
  });

  test("rejects with what the server said", async () => {
    const { api } = helper(async () => Response.json({ error: "no such task" }, { status: 404 }));
    const error = await api("GET", "/board/tasks/x").catch((thrown: Error & { status: number }) => thrown);
    expect(error).toMatchObject({ message: "no such task", status: 404 });
    const plain = helper(async () => new Response("gone", { status: 410 }));
    expect(plain.api("GET", "/x")).rejects.toThrow("the server returned 410");
  });
});

test("a stream goes on after a break where it was, and tells of resets", async () => {
  const replies = [
    'id: 1\ndata: {"id":"1"}\n\nid: 2\nda',
    'id: 3\ndata: {"id":"3"}\n\nid: 9\nevent: reset\ndata: {"type":"reset"}\n\n',
  ];
  const asked: Array<string | null> = [];
  const seen: string[] = [];
  const states: boolean[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const { stream } = helper(async (_path, init) => {
    asked.push(new Headers(init?.headers).get("last-event-id"));
    const text = replies.shift();
    if (text !== undefined) return new Response(text);
    resolve();
    return new Response(null, { status: 503 });
  });
  const end = stream("/feed/stream", ({ id }: PanelEvent) => seen.push(id), {
    onState: (connected) => states.push(connected),
    onReset: () => seen.push("reset"),
  });
  await promise;
  end();
  expect(asked.slice(0, 3)).toEqual([null, "1", "9"]);
  expect(seen).toEqual(["1", "3", "reset"]);
  expect(states.slice(0, 3)).toEqual([true, false, true]);
});

test("a toast is a message to the dashboard", () => {
  const told: unknown[] = [];
  helper(
    async () => new Response(),
    (message) => told.push(message),
  ).toast("done");
  expect(told).toEqual([{ reef: "toast", text: "done", kind: "info" }]);
});
