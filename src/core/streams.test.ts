import { afterAll, describe, expect, test } from "bun:test";
import { eventually } from "../../tests/support/sandbox.js";
import { announceEnd, StreamWatch } from "./streams.js";

const request = () => new Request("http://h/");
const sse = { "content-type": "text/event-stream" };

/** A body that goes on until it is told to end. */
function endless() {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  let cancelled = false;
  const body = new ReadableStream<Uint8Array>({
    start: (given) => {
      controller = given;
    },
    cancel: () => {
      cancelled = true;
    },
  });
  const bytes = new TextEncoder();
  return {
    body,
    send: (text: string) => controller?.enqueue(bytes.encode(text)),
    end: () => controller?.close(),
    fail: () => controller?.error(new Error("broken")),
    wasCancelled: () => cancelled,
  };
}

describe("inside the process", () => {
  test("an event stream counts until it has been read to its end, and arrives unchanged", async () => {
    const watch = new StreamWatch();
    const source = endless();
    const reply = watch.note(new Response(source.body, { headers: sse, status: 201 }), request(), undefined);
    expect([watch.size, reply.status, reply.headers.get("content-type")]).toEqual([
      1,
      201,
      "text/event-stream",
    ]);
    source.send("data: 1\n\n");
    source.send("data: 2\n\n");
    source.end();
    expect(await reply.text()).toBe("data: 1\n\ndata: 2\n\n");
    expect(watch.size).toBe(0);
  });

  test("a reader that leaves ends it and cancels the source", async () => {
    const watch = new StreamWatch();
    const source = endless();
    const reply = watch.note(new Response(source.body, { headers: sse }), request(), undefined);
    await reply.body?.cancel();
    expect([watch.size, source.wasCancelled()]).toEqual([0, true]);
  });

  test("a source that fails ends it and fails at the reader", async () => {
    const watch = new StreamWatch();
    const source = endless();
    const reply = watch.note(new Response(source.body, { headers: sse }), request(), undefined);
    source.fail();
    expect(reply.text()).rejects.toThrow("broken");
    await eventually(() => watch.size === 0);
  });

  test("other replies are passed on as they are and do not count", () => {
    const watch = new StreamWatch();
    for (const response of [new Response("text"), new Response(null, { status: 204 }), Response.json({})]) {
      expect(watch.note(response, request(), undefined)).toBe(response);
    }
    expect(watch.size).toBe(0);
  });
});

test("a stream inside the process can be ended for its reader, also while nothing comes", async () => {
  const watch = new StreamWatch();
  const source = endless();
  const reader = watch
    .note(new Response(source.body, { headers: sse }), request(), undefined)
    .body?.getReader();
  source.send("data: 1\n\n");
  expect((await reader?.read())?.done).toBe(false);
  const next = reader?.read();
  watch.end();
  expect((await next)?.done).toBe(true);
  expect(watch.size).toBe(0);
});

test.each(["resolves", "rejects"])("a reply whose end is announced counts until that %s", async (how) => {
  const watch = new StreamWatch();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const response = announceEnd(new Response(endless().body, { headers: sse }), promise);
  expect(watch.note(response, request(), undefined)).toBe(response);
  expect(watch.size).toBe(1);
  if (how === "resolves") resolve();
  else reject(new Error("x"));
  await eventually(() => watch.size === 0);
});

describe("over the network", () => {
  let watch = new StreamWatch();
  let source = endless();
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    fetch(request, server) {
      const { pathname } = new URL(request.url);
      const reply =
        pathname === "/short"
          ? new Response("short")
          : new Response(source.body, { headers: pathname === "/stream" ? sse : {} });
      return watch.note(reply, request, server);
    },
  });
  afterAll(() => server.stop(true));

  const openStream = async (signal?: AbortSignal, path = "/stream") => {
    watch = new StreamWatch();
    source = endless();
    source.send("data: first\n\n");
    const reply = await fetch(new URL(path, server.url), { signal });
    const reader = reply.body?.getReader();
    await reader?.read();
    return reader;
  };

  test("a stream counts until its source ends", async () => {
    const reader = await openStream();
    expect([watch.size, watch.finite]).toEqual([1, 0]);
    source.end();
    expect((await reader?.read())?.done).toBe(true);
    await eventually(() => watch.size === 0);
  });

  test("or until its client goes away", async () => {
    const controller = new AbortController();
    const reader = await openStream(controller.signal);
    expect(watch.size).toBe(1);
    controller.abort();
    await reader?.closed.catch(() => undefined);
    await eventually(() => watch.size === 0);
  });

  test("a download counts among those that come to an end", async () => {
    await openStream(undefined, "/download");
    expect([watch.size, watch.finite]).toEqual([1, 1]);
    source.end();
    await eventually(() => watch.size === 0);
    expect(watch.finite).toBe(0);
  });

  test("what is left can be ended for its client", async () => {
    const reader = await openStream();
    watch.end();
    const outcome = await reader?.read().then(
      ({ done }) => (done ? "ended" : "more"),
      () => "cut",
    );
    expect(outcome).not.toBe("more");
    await eventually(() => watch.size === 0);
  }, 30_000);

  test("short replies are forgotten, however many there were", async () => {
    watch = new StreamWatch();
    for (let n = 0; n < 300; n++) await (await fetch(new URL("/short", server.url))).text();
    await eventually(() => watch.size === 0);
  });
});

describe("a reply that can be told to end", () => {
  test("ends when it is told, and is not told again once it has ended", async () => {
    const watch = new StreamWatch();
    const stopped: string[] = [];
    const reply = (name: string) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      const stop = () => {
        stopped.push(name);
        resolve();
      };
      watch.note(announceEnd(new Response("x"), promise, stop), new Request("http://reef/"), undefined);
      return resolve;
    };
    const over = reply("over");
    reply("open");
    over();
    await Promise.resolve();
    expect(watch.size).toBe(1);
    watch.stop((stop) => stop());
    await Promise.resolve();
    expect([stopped, watch.size]).toEqual([["open"], 0]);
  });
});
