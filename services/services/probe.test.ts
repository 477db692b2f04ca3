import { describe, expect, test } from "bun:test";
import { type Context, Hono } from "hono";
import { probe } from "./probe.js";

/** A version with routes `/r0`, `/r1` and so on, and what it was asked. */
function candidate(count: number, reply: (n: number, c: Context) => Response | Promise<Response>) {
  const routes = new Hono();
  const asked: string[] = [];
  for (let n = 0; n < count; n++) routes.get(`/r${n}`, (c) => reply(n, c));
  const request = async (path: string) => {
    asked.push(path);
    return routes.request(path);
  };
  return { asked, candidate: { module: { name: "subject", routes }, digest: "", request } };
}

describe("probe", () => {
  test("asks all routes, and names as many as fit", async () => {
    const { asked, candidate: subject } = candidate(100, (_n, c) => c.text("ok"));
    const seen = await probe(subject);
    expect(asked).toHaveLength(100);
    expect(seen).toStartWith("GET /r0 returned 200, GET /r1 returned 200, ");
    expect(seen).toEndWith("GET /r7 returned 200 and 92 more, none with a 5xx");
  });

  test("fails for a single one that answers with a 5xx, wherever it is", async () => {
    for (const broken of [0, 8, 99]) {
      const { candidate: subject } = candidate(100, (n, c) => c.text("", n === broken ? 503 : 200));
      await expect(probe(subject)).rejects.toThrow(
        `GET /r${broken} returned 503; see the log for the reason.`,
      );
    }
  });

  test("of many that do, names as many as fit", async () => {
    const { candidate: subject } = candidate(20, (_n, c) => c.text("", 500));
    await expect(probe(subject)).rejects.toThrow(
      "GET /r7 returned 500 and 12 more; see the log for the reason.",
    );
  });

  test("goes on beside routes that wait", async () => {
    const never = new Promise<Response>(() => undefined);
    const { asked, candidate: subject } = candidate(30, (n, c) => (n % 10 === 0 ? never : c.text("ok")));
    const seen = await probe(subject, { patienceMs: 20, limitMs: 60_000 });
    expect(asked).toHaveLength(30);
    expect(seen).toStartWith("GET /r0 is pending, GET /r1 returned 200, ");
  });

  test("lets go of a stream that begins when nobody waits for it any more", async () => {
    const begin = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    const { candidate: subject } = candidate(1, async () => {
      await begin.promise;
      return new Response(new ReadableStream({ cancel: () => ended.resolve() }));
    });
    expect(await probe(subject, { patienceMs: 1 })).toStartWith("GET /r0 is pending");
    begin.resolve();
    await ended.promise;
  });

  test("says how many it did not get to in its time", async () => {
    const { asked, candidate: subject } = candidate(30, (_n, c) => c.text("ok"));
    const seen = await probe(subject, { limitMs: 0 });
    expect(asked).toHaveLength(8);
    expect(seen).toEndWith("GET /r7 returned 200; ran out of time before 22 more");
  });

  test("leaves out what needs to know more, and says when there is nothing else", async () => {
    const routes = new Hono().get("/:id", (c) => c.text("", 500)).post("/", (c) => c.text("", 500));
    const request = async (path: string) => routes.request(path);
    const seen = await probe({ module: { name: "subject", routes }, digest: "", request });
    expect(seen).toBe("it has no GET routes without parameters to check");
  });
});
