import { afterAll, beforeEach, describe, expect, spyOn, test } from "bun:test";
import { createFleetClient, FleetError, isErrorResult } from "./client.js";

/** What the server answers, one entry for each request; the last one stays. */
let answers: Array<() => Response | Promise<Response>> = [];
let seen: Array<{ method: string; path: string; headers: Headers; body: string }> = [];
const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  async fetch(request) {
    const { pathname, search } = new URL(request.url);
    seen.push({
      method: request.method,
      path: pathname + search,
      headers: request.headers,
      body: await request.text(),
    });
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    return answer ? answer() : new Response();
  },
});
afterAll(() => server.stop(true));
beforeEach(() => {
  answers = [() => Response.json({ ok: true })];
  seen = [];
});

const env = {
  VERS_INFRA_URL: `http://127.0.0.1:${server.port}/`,
  VERS_AUTH_TOKEN: "t",
  VERS_AGENT_NAME: "ada",
};
const client = createFleetClient({ env });
const failure = async (call: Promise<unknown>): Promise<FleetError> => {
  const error = await call.then(
    () => undefined,
    (thrown) => thrown,
  );
  expect(error).toBeInstanceOf(FleetError);
  return error;
};

describe("api", () => {
  test("sends JSON with the token and the agent's name, and decodes the reply", async () => {
    expect(await client.api<{ ok: boolean }>("post", "/board/tasks?x=1", { title: "ä" })).toEqual({
      ok: true,
    });
    const [request] = seen;
    expect(request).toMatchObject({ method: "POST", path: "/board/tasks?x=1", body: '{"title":"ä"}' });
    expect(request?.headers.get("authorization")).toBe("Bearer t");
    expect(request?.headers.get("x-reef-agent-name")).toBe("ada");
    expect(request?.headers.get("content-type")).toBe("application/json");
    expect(request?.headers.has("x-reef-vm-id")).toBe(false);
  });

  test("says which VM and category it speaks for, when it is one", async () => {
    await createFleetClient({ env: { ...env, VERS_VM_ID: "vm1", REEF_CATEGORY: "ops" } }).api("GET", "/x");
    expect(seen[0]?.headers.get("x-reef-vm-id")).toBe("vm1");
    expect(seen[0]?.headers.get("x-reef-category")).toBe("ops");
  });

  test.each([
    ["Wrong1234", "VERS_AUTH_TOKEN is not the token of this Reef"],
    ["", "VERS_AUTH_TOKEN is not set"],
  ])("says what is wrong with the token %p", async (VERS_AUTH_TOKEN, expected) => {
    const other = createFleetClient({ env: { ...env, VERS_AUTH_TOKEN } });
    answers = [() => Response.json({ error: "unauthorized" }, { status: 401 })];
    const error = await failure(other.api("GET", "/x"));
    expect(error.message).toBe(`GET /x (401): unauthorized: ${expected}`);
    // A service may have its own reasons.
    answers = [() => Response.json({ error: "your card is blocked" }, { status: 401 })];
    expect((await failure(other.api("GET", "/x"))).message).toBe("GET /x (401): your card is blocked");
  });

  test.each(["a\nsecret", "tök€n-secret", "a\0secret", "a secret"])(
    "neither sends nor shows the token %j",
    async (VERS_AUTH_TOKEN) => {
      const shows = async () => {
        throw new Error(`Headers.append: "Bearer ${VERS_AUTH_TOKEN}" is an invalid header value.`);
      };
      const other = createFleetClient({ env: { ...env, VERS_AUTH_TOKEN }, fetch: shows });
      const { message, status } = await failure(other.api("GET", "/x"));
      expect([message, status]).toEqual([
        expect.stringContaining("VERS_AUTH_TOKEN contains an invalid character"),
        0,
      ]);
      expect(message).not.toContain("secret");
    },
  );

  test("sends a token without the line break after it", async () => {
    await createFleetClient({ env: { ...env, VERS_AUTH_TOKEN: " t\n" } }).api("GET", "/x");
    expect(seen[0]?.headers.get("authorization")).toBe("Bearer t");
  });

  test.each([[false], [0], [""], [null]])("sends the falsy body %p", async (body) => {
    await client.api("PUT", "/x", body);
    expect(seen[0]?.body).toBe(JSON.stringify(body));
  });

  test("sends no body and no content type when there is none", async () => {
    await client.api("DELETE", "x");
    expect(seen[0]).toMatchObject({ method: "DELETE", path: "/x", body: "" });
    expect(seen[0]?.headers.has("content-type")).toBe(false);
  });

  test.each<[string, () => Response, unknown]>([
    ["text", () => new Response("plain"), "plain"],
    [
      "text of another kind",
      () => new Response("<ä/>", { headers: { "content-type": "application/xml" } }),
      "<ä/>",
    ],
    ["nothing", () => new Response(null, { status: 204 }), ""],
    ["an empty JSON reply", () => new Response("", { headers: { "content-type": "application/json" } }), ""],
    [
      "problem+json",
      () => new Response("[1]", { headers: { "content-type": "application/problem+json" } }),
      [1],
    ],
  ])("resolves with %s", async (_what, answer, expected) => {
    answers = [answer];
    expect(await client.api<unknown>("GET", "/x")).toEqual(expected);
  });

  test("reads the environment at each call", async () => {
    const changing: Record<string, string | undefined> = {};
    const late = createFleetClient({ env: changing });
    expect((await failure(late.api("GET", "/x"))).message).toBe("GET /x: VERS_INFRA_URL is not set");
    expect(late.getBaseUrl()).toBe("");
    Object.assign(changing, env);
    expect(await late.api<unknown>("GET", "/x")).toEqual({ ok: true });
    expect(late.getBaseUrl()).toBe(`http://127.0.0.1:${server.port}`);
  });
});

describe("errors", () => {
  test.each<[string, () => Response, string]>([
    [
      "the server's own",
      () => Response.json({ error: "no such task" }, { status: 404 }),
      "GET /x (404): no such task",
    ],
    ["text", () => new Response("nope\n", { status: 403 }), "GET /x (403): nope"],
    ["nothing at all", () => new Response(null, { status: 418, statusText: "Teapot" }), "GET /x (418): "],
    [
      "an error that is an object",
      () => Response.json({ error: { deep: 1 } }, { status: 400 }),
      'GET /x (400): {"deep":1}',
    ],
    [
      "broken JSON",
      () => new Response("{", { headers: { "content-type": "application/json" } }),
      "GET /x (200): the response is not valid JSON",
    ],
  ])("%s: method, path, status and message", async (_what, answer, message) => {
    answers = [answer];
    const error = await failure(client.api("GET", "/x"));
    expect(error.message).toStartWith(message);
    expect(error.status).toBe(answer().status);
    expect(seen).toHaveLength(1);
  });

  test("carry the whole reply, which may say more than its error", async () => {
    const reply = { error: "test: it failed", steps: [{ step: "test", detail: "line one\nline two" }] };
    answers = [() => Response.json(reply, { status: 400 })];
    expect((await failure(client.api("GET", "/x"))).body).toEqual(reply);
    answers = [() => new Response("nope\n", { status: 403 })];
    expect((await failure(client.api("GET", "/x"))).body).toBe("nope\n");
    const away = createFleetClient({ env: { ...env, VERS_INFRA_URL: "http://127.0.0.1:1" } });
    expect((await failure(away.api("POST", "/x"))).body).toBeUndefined();
  });

  test.each(["application/octet-stream", "image/png"])(
    "bytes of the type %p are no reply of Reef's",
    async (type) => {
      answers = [() => new Response(new Uint8Array([1, 255, 0]), { headers: { "content-type": type } })];
      const { message, status } = await failure(client.api("POST", "/x"));
      expect(message).toStartWith(`POST /x (200): the response is neither JSON nor text (${type})`);
      expect(status).toBe(200);
    },
  );

  test("a page of HTML is cut short", async () => {
    answers = [() => new Response("x".repeat(100_000), { status: 400 })];
    expect((await failure(client.api("GET", "/x"))).message.length).toBeLessThan(600);
  });

  test("a server that is away has status 0", async () => {
    const away = createFleetClient({ env: { ...env, VERS_INFRA_URL: "http://127.0.0.1:1" } });
    const error = await failure(away.api("POST", "/x"));
    expect(error.status).toBe(0);
    expect(error.message).toStartWith("POST /x (no response): ");
  });

  test("a server that does not answer is given up on, and is named as such", async () => {
    const gate = Promise.withResolvers<Response>();
    answers = [() => gate.promise];
    const hasty = createFleetClient({ env, timeoutMs: 20 });
    expect((await failure(hasty.api("POST", "/x"))).message).toBe(
      "POST /x (no response): no response within 20 ms",
    );
    gate.resolve(new Response());
  });

  test("the agent's end aborts calls that are under way", async () => {
    const gate = Promise.withResolvers<Response>();
    const arrived = Promise.withResolvers<void>();
    answers = [
      () => {
        arrived.resolve();
        return gate.promise;
      },
    ];
    const session = new AbortController();
    const call = failure(createFleetClient({ env, signal: session.signal }).api("GET", "/x"));
    await arrived.promise;
    session.abort();
    expect((await call).message).toBe("GET /x (no response): aborted");
    gate.resolve(new Response());
    expect(seen).toHaveLength(1);
  });
});

describe("trying again", () => {
  const busy = () => Response.json({ error: "busy" }, { status: 503 });

  test.each(["GET", "PUT", "DELETE"])("%s is repeated once after a failure that may pass", async (method) => {
    answers = [busy, () => Response.json("fine")];
    expect(await client.api<unknown>(method, "/x")).toBe("fine");
    expect(seen).toHaveLength(2);
  });

  test("and no more than once", async () => {
    answers = [busy];
    expect((await failure(client.api("GET", "/x"))).status).toBe(503);
    expect(seen).toHaveLength(2);
  });

  test("but where it is to go on until the server answers", async () => {
    answers = [busy, busy, busy, () => Response.json("fine")];
    expect(await client.api<unknown>("GET", "/x", undefined, { untilAnswered: true })).toBe("fine");
    expect(seen).toHaveLength(4);
  });

  test("within the time that the call has", async () => {
    answers = [busy];
    const options = { untilAnswered: true, timeoutMs: 400 };
    expect((await failure(client.api("GET", "/x", undefined, options))).status).toBe(0);
    expect(seen.length).toBeGreaterThan(1);
    answers = [() => Response.json({ error: "no" }, { status: 404 })];
    expect((await failure(client.api("GET", "/x", undefined, options))).status).toBe(404);
  });

  test("a POST never is, either", async () => {
    answers = [busy];
    expect((await failure(client.api("POST", "/x", {}, { untilAnswered: true }))).status).toBe(503);
    expect(seen).toHaveLength(1);
  });

  test.each(["POST", "PATCH"])("%s never is: it may have taken effect", async (method) => {
    answers = [busy];
    await failure(client.api(method, "/x", {}));
    expect(seen).toHaveLength(1);
  });

  test.each([400, 401, 404, 409, 500])("a %d is final", async (status) => {
    answers = [() => Response.json({ error: "no" }, { status })];
    await failure(client.api("GET", "/x"));
    expect(seen).toHaveLength(1);
  });
});

describe("results of tools", () => {
  test("ok carries text and details", () => {
    expect(client.ok("done", { id: 1 })).toEqual({
      content: [{ type: "text", text: "done" }],
      details: { id: 1 },
    });
    expect(client.ok("done").details).toEqual({});
    expect(isErrorResult(client.ok("Error: not really"))).toBe(false);
  });

  test("err and noUrl are marked as errors", () => {
    expect(client.err("broken")).toMatchObject({
      content: [{ type: "text", text: "Error: broken" }],
      details: { error: "broken" },
      isError: true,
    });
    expect(client.noUrl().content[0]?.text).toContain("VERS_INFRA_URL");
    for (const result of [client.err("x"), client.noUrl()]) expect(isErrorResult(result)).toBe(true);
    for (const other of [null, undefined, "x", { isError: true }]) expect(isErrorResult(other)).toBe(false);
  });
});

test("says who the agent is", () => {
  const full = createFleetClient({
    env: { ...env, VERS_VM_ID: "vm1", VERS_AGENT_ROLE: "lead", REEF_CATEGORY: "ops", VERS_PARENT_AGENT: "p" },
  });
  expect([full.agentName, full.vmId, full.agentRole, full.agentCategory, full.isChildAgent]).toEqual([
    "ada",
    "vm1",
    "lead",
    "ops",
    true,
  ]);
  expect([client.vmId, client.agentRole, client.agentCategory, client.isChildAgent]).toEqual([
    undefined,
    "worker",
    undefined,
    false,
  ]);
});

describe("limits", () => {
  test("a deadline covers the call and its retry", async () => {
    answers = [() => new Response("busy", { status: 503 }), () => new Promise<Response>(() => undefined)];
    const before = performance.now();
    const error = await failure(createFleetClient({ env, timeoutMs: () => 300 }).api("GET", "/x"));
    expect(error.message).toBe("GET /x (no response): no response within 300 ms");
    expect(performance.now() - before).toBeLessThan(5000);
    expect(seen.length).toBe(2);
  });

  test("a call may ask for more time, or less, than calls have", async () => {
    answers = [() => new Promise<Response>(() => undefined)];
    const given = spyOn(AbortSignal, "timeout").mockImplementation(() => AbortSignal.abort());
    try {
      for (const timeoutMs of [200_000, 20]) {
        const error = await failure(client.api("POST", "/x", {}, { timeoutMs }));
        expect(error.message).toBe(`POST /x (no response): no response within ${timeoutMs} ms`);
        expect(given).toHaveBeenLastCalledWith(timeoutMs);
      }
    } finally {
      given.mockRestore();
    }
  });

  test("but never more than whoever made the client grants", async () => {
    answers = [() => new Promise<Response>(() => undefined)];
    const hasty = createFleetClient({ env, timeoutMs: () => 20 });
    const error = await failure(hasty.api("POST", "/x", {}, { timeoutMs: 200_000 }));
    expect(error.message).toContain("no response within 20 ms");
  });

  test.each([
    [Number.POSITIVE_INFINITY, 2 ** 31 - 1],
    [2 ** 33, 2 ** 31 - 1],
    [0.5, 1],
    [1500.5, 1501],
  ])("a limit of %p ms is one of %p, which the platform has", async (timeoutMs, expected) => {
    // A millisecond may be over before the reply.
    const given = spyOn(AbortSignal, "timeout").mockReturnValue(new AbortController().signal);
    try {
      expect(await client.api<unknown>("GET", "/x", undefined, { timeoutMs })).toEqual({ ok: true });
      expect(given).toHaveBeenLastCalledWith(expected);
    } finally {
      given.mockRestore();
    }
  });

  test.each<[unknown, string]>([
    [Number.NaN, "NaN"],
    [-1, "-1"],
    [0, "0"],
    [Number.NEGATIVE_INFINITY, "-Infinity"],
    ["20", "of type string"],
    [{}, "of type object"],
    [5n, "of type bigint"],
  ])("a limit of %p is refused, and said to be", async (timeoutMs, shown) => {
    const error = await failure(client.api("POST", "/x", {}, { timeoutMs: timeoutMs as number }));
    expect(error.message).toBe(`POST /x: timeoutMs is ${shown}; it must be a number of milliseconds above 0`);
    const other = createFleetClient({ env, timeoutMs: () => timeoutMs as number });
    expect((await failure(other.api("POST", "/x"))).message).toBe(error.message);
    expect(seen).toEqual([]);
  });

  test("signals and attempts are asked for and told at each call", async () => {
    const attempts: boolean[] = [];
    let controller = new AbortController();
    const limited = createFleetClient({
      env,
      signal: () => controller.signal,
      onAttempt: (ok) => attempts.push(ok),
    });
    await limited.api("GET", "/x");
    controller.abort();
    expect((await failure(limited.api("GET", "/x"))).message).toContain("aborted");
    controller = new AbortController();
    answers = [() => new Response("gone", { status: 404 })];
    await failure(limited.api("POST", "/x"));
    expect(attempts, "what was aborted says nothing about the server").toEqual([true, true]);
  });

  test("never throws before it returns a promise", async () => {
    const circular: Record<string, unknown> = {};
    circular.self = circular;
    const calls = [
      () => client.api("POST", "/x", circular),
      () => client.api("POST", "/x", 1n),
      () => client.api(undefined as never, undefined as never),
      () => createFleetClient({ env: { VERS_INFRA_URL: "no url" } }).api("GET", "/x"),
    ];
    for (const call of calls) {
      const called = call();
      expect(called).toBeInstanceOf(Promise);
      await called.catch((error) => expect(error).toBeInstanceOf(FleetError));
    }
  });

  test("a name that no header can carry is encoded", async () => {
    await createFleetClient({ env: { ...env, VERS_AGENT_NAME: "Zoë 日\n" } }).api("GET", "/x");
    expect(seen[0]?.headers.get("x-reef-agent-name")).toBe("Zo%C3%AB %E6%97%A5%0A");
  });

  test("a web page is no reply of Reef's, whatever its status", async () => {
    answers = [() => new Response("<html>", { headers: { "content-type": "text/html" } })];
    expect((await failure(client.api("GET", "/x"))).message).toContain("web page");
  });
});
