import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type ProcessOptions, ReefProcess, raw } from "./support/process.js";
import { answering, eventually, type Files, Sandbox, TOKEN } from "./support/sandbox.js";

const running: ReefProcess[] = [];
const sandboxes: Sandbox[] = [];
afterEach(async () => {
  for (const reef of running.splice(0)) await reef.stop("SIGKILL");
  for (const sandbox of sandboxes.splice(0)) sandbox.remove();
});

function box(services: Files = {}): Sandbox {
  const sandbox = new Sandbox(services);
  sandboxes.push(sandbox);
  return sandbox;
}
function launch(sandbox: Sandbox, options?: ProcessOptions): ReefProcess {
  const reef = new ReefProcess(sandbox, options);
  running.push(reef);
  return reef;
}
const start = (sandbox: Sandbox, options?: ProcessOptions) => {
  const hasRoutes = (name: string) =>
    readFileSync(join(sandbox.servicesDir, name, "index.ts"), "utf8").includes("Hono");
  return launch(sandbox, options).serving(...readdirSync(sandbox.servicesDir).filter(hasRoutes));
};

/** Connections that stay idle need many seconds to be closed: they wait while the other tests run. */
let idle: ReefProcess;
let halfRequests: Promise<string[]>;
const idleBox = new Sandbox({ "a/index.ts": answering("a", "alive") });
beforeAll(async () => {
  idle = await new ReefProcess(idleBox, { env: { REEF_IDLE_TIMEOUT: "1" } }).serving("a");
  halfRequests = Promise.all([
    raw(idle.port, ""),
    raw(idle.port, "GET /a HTTP/1.1\r\nHo"),
    raw(
      idle.port,
      `POST /a HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Length: 100\r\n\r\nonly this`,
    ),
  ]);
});
afterAll(async () => {
  await idle?.stop("SIGKILL");
  idleBox.remove();
});

const routes = (body: string, fields = "") => `import { Hono } from "hono";
  const routes = new Hono();
  ${body}
  export default { name: "a", routes, ${fields} };`;

describe("the token", () => {
  test("is made at the first start, readable by the owner only, shown once and used again", async () => {
    const sandbox = box({ "a/index.ts": answering("a", "a") });
    const first = await start(sandbox, { env: { VERS_AUTH_TOKEN: undefined } });
    const path = join(sandbox.dataDir, "auth-token");
    const token = readFileSync(path, "utf8").trim();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(first.output).toContain(token);
    expect(first.output).toContain("curl");
    const authorization = `Bearer ${token}`;
    expect(await (await first.call("/a", { headers: { authorization } })).text()).toBe("a");
    expect((await first.call("/a")).status).toBe(401);
    expect(await first.stop()).toBe(0);

    const second = await start(sandbox, { env: { VERS_AUTH_TOKEN: undefined } });
    expect(second.output).not.toContain(token);
    expect(second.output).toContain(path);
    expect((await second.call("/a", { headers: { authorization } })).status).toBe(200);
  });

  test("of the environment may be short, which is warned of", async () => {
    const reef = await launch(box(), { env: { VERS_AUTH_TOKEN: "short" } }).listening();
    expect(reef.output).toContain("VERS_AUTH_TOKEN has fewer than 16 characters");
    expect(reef.output).not.toContain("short");
    const other = await launch(box()).listening();
    expect(other.output).not.toContain("fewer than");
  });

  test("of the environment is the one that counts, and is neither shown nor stored", async () => {
    const sandbox = box({ "a/index.ts": answering("a", "a") });
    const reef = await start(sandbox);
    expect((await reef.call("/a")).status).toBe(200);
    expect(reef.output).not.toContain(TOKEN);
    expect(existsSync(join(sandbox.dataDir, "auth-token"))).toBe(false);
  });
});

test("of two servers that start at once on one data folder, one serves, with the token that is kept", async () => {
  const sandbox = box();
  const both = [1, 2].map(() => launch(sandbox, { env: { VERS_AUTH_TOKEN: undefined } }));
  const outcomes = await Promise.allSettled(both.map((reef) => reef.listening()));
  expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  const [winner, loser] = outcomes[0]?.status === "fulfilled" ? both : both.toReversed();
  expect(await failedStart(loser as ReefProcess)).toContain("another server uses the data folder");
  const path = join(sandbox.dataDir, "auth-token");
  const token = readFileSync(path, "utf8").trim();
  expect(winner?.output).toContain(`Token: ${token} (new, kept in `);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

/** The reason that a process gives, as its only line, before it ends with 1. */
async function failedStart(reef: ReefProcess): Promise<string> {
  expect(await reef.child.exited).toBe(1);
  await eventually(() => reef.output.endsWith("\n"), "a line of output");
  const lines = reef.output.trimEnd().split("\n");
  expect(lines).toEqual([expect.stringMatching(/^Reef cannot start: /)]);
  return (lines[0] as string).slice("Reef cannot start: ".length);
}

describe("a start that cannot succeed says why and exits with 1", () => {
  test.each([
    ["PORT", "seven", /PORT is "seven"; it must be a whole number/],
    ["REEF_IDLE_TIMEOUT", "0", /REEF_IDLE_TIMEOUT/],
    ["REEF_CHECK", "maybe", /REEF_CHECK must be "on" or "off"/],
    ["VERS_AUTH_TOKEN", "two words", /VERS_AUTH_TOKEN/],
    ["REEF_HOST", "203.0.113.7", /REEF_HOST is "203.0.113.7", .*; use an address of this machine/],
    ["REEF_HOST", "no such host", /REEF_HOST is "no such host", .*; use an address of this machine/],
    ["REEF_HOST", "::zz", /REEF_HOST is "::zz", .*; use an address of this machine/],
    ["REEF_HOST", "http://127.0.0.1", /REEF_HOST is "http:\/\/127.0.0.1", .*; use an address of this/],
    ["REEF_HOST", "two\nlines", /REEF_HOST is "two\\nlines", .*; use an address of this machine/],
  ])("%s=%p", async (name, value, message) => {
    const reef = launch(box(), { env: { [name]: value } });
    expect(await failedStart(reef)).toMatch(message);
  });

  test("an unusable token file", async () => {
    const sandbox = box();
    writeFileSync(join(sandbox.dataDir, "auth-token"), "short");
    const reef = launch(sandbox, { env: { VERS_AUTH_TOKEN: undefined } });
    expect(await failedStart(reef)).toContain("does not contain a valid token");
  });

  test("a token file that is a folder", async () => {
    const sandbox = box();
    mkdirSync(join(sandbox.dataDir, "auth-token"));
    const reef = launch(sandbox, { env: { VERS_AUTH_TOKEN: undefined } });
    expect(await failedStart(reef)).toContain(`${join(sandbox.dataDir, "auth-token")} cannot be read`);
  });

  test.each([
    ["a file", "file"],
    ["below a file", "file/below"],
    ["where nothing can be created", "/proc/reef"],
    ["no place for Reef's own files", "taken"],
    ["a place where its lock cannot be", "locked"],
  ])("a data folder that is %s", async (_what, path) => {
    const sandbox = box();
    sandbox.write("file", "");
    sandbox.write("taken/.reef", "");
    mkdirSync(join(sandbox.root, "locked", ".reef", "lock.sqlite"), { recursive: true });
    const dataDir = resolve(sandbox.root, path);
    for (const token of [undefined, TOKEN]) {
      const reef = launch(sandbox, { env: { VERS_AUTH_TOKEN: token, REEF_DATA_DIR: dataDir } });
      const message = await failedStart(reef);
      expect(message).toStartWith(`REEF_DATA_DIR is ${JSON.stringify(dataDir)}, `);
      expect(message).toContain("; use a folder that Reef can write to");
    }
  });

  test("a port in use, and what holds it goes on undisturbed", async () => {
    const sandbox = box({ "a/index.ts": answering("a", "a") });
    const first = await start(sandbox);
    const touched = join(sandbox.root, "init-ran");
    sandbox.services({
      "late/index.ts": `import { writeFileSync } from "node:fs";
        export default { name: "late", init() { writeFileSync(${JSON.stringify(touched)}, ""); } };`,
    });
    const second = launch(sandbox, { env: { PORT: String(first.port) } });
    expect(await failedStart(second)).toMatch(
      new RegExp(`^PORT is ${first.port}, which is in use on 127\\.0\\.0\\.1; .*0 picks a free one`),
    );
    // It fails before its services could touch the data of the one that runs.
    expect(existsSync(touched)).toBe(false);
    expect(await (await first.call("/a")).text()).toBe("a");
  });
});

test("it listens on the loopback address, and services see the folders and settings it was started with", async () => {
  const sandbox = box({
    "a/index.ts": routes(
      'routes.get("/", (c) => c.json({ cwd: process.cwd(), dataDir: process.env.REEF_DATA_DIR, own: own }));',
      "init(ctx) { own = { dataDir: ctx.dataDir, servicesDir: ctx.servicesDir }; }",
    ).replace("const routes", "let own; const routes"),
  });
  const reef = await start(sandbox);
  expect(reef.url).toStartWith("http://127.0.0.1:");
  const { root: cwd, dataDir, servicesDir } = sandbox;
  expect(await (await reef.call("/a")).json()).toEqual({ cwd, dataDir, own: { dataDir, servicesDir } });
});

test("how Bun is set up for the server is neither seen by services nor by what is started with their environment", async () => {
  const sandbox = box({
    "a/index.ts": routes(
      `routes.get("/", async (c) => {
        const child = Bun.spawn(["env"], { env: process.env, stdout: "pipe" });
        return c.text([...Object.keys(process.env), await new Response(child.stdout).text()].join("\\n"));
      });`,
    ),
  });
  const reef = await start(sandbox);
  const seen = await (await reef.call("/a")).text();
  expect(seen).toContain("REEF_DATA_DIR=");
  expect(seen).not.toContain("BUN_JSC_");
});

describe("data", () => {
  const STORE = routes(
    `import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
     const path = "data/items.json";
     let items = existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : [];
     let timer;
     const store = { flush() { clearTimeout(timer); mkdirSync("data", { recursive: true }); writeFileSync(path, JSON.stringify(items)); } };
     routes.post("/", async (c) => { items.push(await c.req.json()); timer = setTimeout(store.flush, 60_000); return c.json({}, 201); });
     routes.get("/", (c) => c.json(items));`,
    "store",
  );

  test.each(["SIGTERM", "SIGINT", "SIGHUP"] as const)(
    "written relative to the working directory, as by hand, is there after %s and a restart",
    async (signal) => {
      const sandbox = box({ "a/index.ts": STORE });
      const first = await start(sandbox);
      for (const n of [1, 2, 3]) await first.call("/a", { method: "POST", body: JSON.stringify({ n }) });
      expect(await first.stop(signal)).toBe(0);
      expect(JSON.parse(readFileSync(join(sandbox.root, "data", "items.json"), "utf8"))).toHaveLength(3);
      const second = await start(sandbox);
      expect(await (await second.call("/a")).json()).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
    },
  );

  test("is not touched by trying code out", async () => {
    const sandbox = box({
      "a/index.ts": `import { appendFileSync, mkdirSync } from "node:fs";
        import { join } from "node:path";
        mkdirSync("data", { recursive: true });
        appendFileSync("data/imports.txt", process.pid + "\\n");
        export default { name: "a", init(ctx) { mkdirSync(ctx.dataDir, { recursive: true }); appendFileSync(join(ctx.dataDir, "inits.txt"), process.pid + "\\n"); } };`,
    });
    const reef = await start(sandbox);
    for (const file of ["imports.txt", "inits.txt"]) {
      const path = join(sandbox.dataDir, file);
      await eventually(() => existsSync(path), `${file} of a service that may join after the start`);
      expect(readFileSync(path, "utf8")).toBe(`${reef.child.pid}\n`);
    }
  });
});

describe("the end", () => {
  test("does not come by SIGHUP where whoever started the server has said so, as nohup does", async () => {
    const reef = await start(box({ "a/index.ts": answering("a", "a") }), { ignoresHangup: true });
    reef.child.kill("SIGHUP");
    for (let time = 0; time < 5; time++) expect(await (await reef.call("/a")).text()).toBe("a");
    expect(await reef.stop()).toBe(0);
    expect(reef.output).not.toContain("SIGHUP");
  });

  test("waits for requests in flight; they are answered in full", async () => {
    const sandbox = box({
      "a/index.ts": routes(
        `routes.get("/slow", async (c) => { console.log("slow begins"); await Bun.sleep(300); return c.text("x".repeat(500_000)); });`,
      ),
    });
    const reef = await start(sandbox);
    const replies = Array.from({ length: 10 }, () => reef.call("/a/slow"));
    await eventually(() => reef.output.split("slow begins").length > 10);
    const ended = reef.stop();
    for (const reply of await Promise.all(replies)) {
      expect(reply.status).toBe(200);
      expect((await reply.text()).length).toBe(500_000);
    }
    expect(await ended).toBe(0);
  });

  test.each<[string, string]>([
    ["a store whose close never returns", "store: { close: () => new Promise(() => {}) }"],
    ["a store whose close throws", 'store: { close() { throw new Error("close failed"); } }'],
    ["a dispose that rejects", 'dispose: () => Promise.reject(new Error("dispose failed"))'],
    ["a timer that never stops", "init() { setInterval(() => {}, 1); }"],
    ["a SIGTERM handler of its own that exits", 'init() { process.on("SIGTERM", () => process.exit(7)); }'],
  ])(
    "is not held up by %s: the others are saved and it exits with 0",
    async (_what, fields) => {
      const sandbox = box({
        "a/index.ts": routes("", fields),
        "b/index.ts": `import { writeFileSync } from "node:fs";
          export default { name: "b", store: { flush() { writeFileSync("saved", "b"); } } };`,
      });
      const reef = await start(sandbox, { env: { REEF_CHECK: "off", REEF_DRAIN_TIMEOUT: "500" } });
      expect(await (await reef.call("/health")).json()).toMatchObject({ services: ["a"], skipped: [] });
      expect(await reef.stop()).toBe(0);
      expect(existsSync(join(sandbox.root, "saved"))).toBe(true);
    },
    30_000,
  );

  test("comes although a client keeps a stream open", async () => {
    const sandbox = box({
      "a/index.ts": routes(
        'routes.get("/", () => new Response(new ReadableStream({ start(c) { c.enqueue("data: 1\\n\\n"); } }), { headers: { "content-type": "text/event-stream" } }));',
      ),
    });
    const reef = await start(sandbox, { env: { REEF_DRAIN_TIMEOUT: "600000" } });
    const reader = (await reef.call("/a")).body?.getReader();
    await reader?.read();
    expect(await reef.stop()).toBe(0);
  }, 30_000);

  test("comes in order also when it is asked for before the server listens", async () => {
    const sandbox = box({
      "a/index.ts": `import { writeFileSync } from "node:fs";
        const { pid } = Bun.spawn(["sleep", "600"]);
        writeFileSync("pid", String(pid));
        await Bun.sleep(200);
        export default { name: "a", store: { flush() { writeFileSync("saved", ""); } } };`,
    });
    const reef = launch(sandbox, { env: { REEF_CHECK: "off" } });
    const marker = join(sandbox.root, "pid");
    await eventually(() => existsSync(marker), "the child of the service");
    expect(reef.output).not.toContain("listens");
    expect(await reef.stop()).toBe(0);
    expect(existsSync(join(sandbox.root, "saved"))).toBe(true);
    const child = readFileSync(marker, "utf8");
    await eventually(() => !existsSync(`/proc/${child}`), "the child's end");
  }, 30_000);

  test("ends what a service has begun that is still starting", async () => {
    const sandbox = box({
      "a/index.ts": answering("a", "a"),
      "slow/index.ts": `import { writeFileSync } from "node:fs";
        export default { name: "slow", init() {
          const { pid } = Bun.spawn(["sleep", "600"]);
          writeFileSync("pid", String(pid));
          return new Promise(() => {});
        } };`,
    });
    const reef = await start(sandbox, { env: { REEF_CHECK: "off", REEF_INIT_TIMEOUT: "600000" } });
    const marker = join(sandbox.root, "pid");
    await eventually(() => existsSync(marker), "the child of the service");
    const child = readFileSync(marker, "utf8");
    expect(existsSync(`/proc/${child}`)).toBe(true);
    expect(await reef.stop()).toBe(0);
    await eventually(() => !existsSync(`/proc/${child}`), "the child's end");
  }, 30_000);

  test("leaves no child processes and no scratch folders behind", async () => {
    const sandbox = box({ "a/index.ts": answering("a", "a"), "bad/index.ts": "while (true) {}" });
    sandbox.write("tmp/.keep", "");
    const reef = await start(sandbox, {
      env: { TMPDIR: join(sandbox.root, "tmp"), REEF_INIT_TIMEOUT: "600000" },
    });
    const children = () => childrenOf(reef.child.pid);
    expect(children().length).toBeGreaterThan(0);
    const before = children();
    expect(await reef.stop()).toBe(0);
    await eventually(() => before.every((pid) => !existsSync(`/proc/${pid}`)), "the children's end");
    expect(readdirSync(join(sandbox.root, "tmp"))).toEqual([".keep"]);
  });
});

function childrenOf(pid: number): string[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean);
}

describe("requests that are wrong or hostile", () => {
  const ECHO = routes(
    `routes.post("/json", async (c) => c.json({ got: await c.req.json() }));
     routes.post("/text", async (c) => c.text(String((await c.req.text()).length)));
     routes.get("/", (c) => c.text("alive"));`,
  );
  const auth = `Authorization: Bearer ${TOKEN}\r\n`;
  const alive = async (reef: ReefProcess) => expect(await (await reef.call("/a")).text()).toBe("alive");

  test("a body over the limit is a 413, announced or not; in JSON where the platform has not answered before", async () => {
    const reef = await start(box({ "a/index.ts": ECHO }), { env: { REEF_MAX_BODY_BYTES: "2048" } });
    const post = (body: RequestInit["body"]) => reef.call("/a/text", { method: "POST", body });
    expect(await (await post("x".repeat(2048))).text()).toBe("2048");
    const announced = await post("x".repeat(2049));
    expect([announced.status, await announced.json()]).toEqual([413, { error: "request body too large" }]);
    const chunk = "x".repeat(1500);
    const head = `POST /a/text HTTP/1.1\r\nHost: h\r\nConnection: close\r\n${auth}Transfer-Encoding: chunked\r\n\r\n`;
    const chunked = await raw(reef.port, [head, `5dc\r\n${chunk}\r\n`, `5dc\r\n${chunk}\r\n`, "0\r\n\r\n"]);
    expect(chunked).toStartWith("HTTP/1.1 413");
    expect((await post("x".repeat(9000))).status).toBe(413);
    await alive(reef);
  });

  test("JSON that is broken, absent or of the wrong kind is answered, and never ends the server", async () => {
    const reef = await start(box({ "a/index.ts": ECHO }));
    for (const body of ["{", "", "nul", "\0", "[1,]"]) {
      const reply = await reef.call("/a/json", { method: "POST", body });
      expect([400, 500]).toContain(reply.status);
      expect(await reply.json()).toHaveProperty("error");
    }
    await alive(reef);
  });

  test.each<[string, string]>([
    ["bytes that are no HTTP", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"],
    ["a line without end", `GET /${"a".repeat(200_000)}`],
    ["too many headers", `GET /a HTTP/1.1\r\nHost: h\r\n${"X: y\r\n".repeat(20_000)}\r\n`],
    ["a negative length", `POST /a/text HTTP/1.1\r\nHost: h\r\n${auth}Content-Length: -1\r\n\r\n`],
    [
      "two lengths",
      `POST /a/text HTTP/1.1\r\nHost: h\r\n${auth}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`,
    ],
    [
      "a length and chunks",
      `POST /a/text HTTP/1.1\r\nHost: h\r\n${auth}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    ],
    [
      "a broken chunk size",
      `POST /a/text HTTP/1.1\r\nHost: h\r\n${auth}Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n`,
    ],
    ["no host", "GET /a HTTP/1.1\r\nConnection: close\r\n\r\n"],
    [
      "a NUL in a header",
      "GET /a HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer \0\r\nConnection: close\r\n\r\n",
    ],
  ])(
    "%s neither gets in nor ends the server",
    async (_what, request) => {
      const reef = await start(box({ "a/index.ts": ECHO }), { env: { REEF_IDLE_TIMEOUT: "1" } });
      expect(await raw(reef.port, request)).not.toContain(" 200 ");
      await alive(reef);
    },
    30_000,
  );
});

test("a connection that sends nothing, or only half of a request, is closed; others go on", async () => {
  for (const reply of await halfRequests) expect(reply).not.toContain(" 200 ");
  expect(await (await idle.call("/a")).text()).toBe("alive");
}, 30_000);
