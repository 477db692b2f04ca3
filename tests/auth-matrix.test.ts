import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { ReefProcess, raw } from "./support/process.js";
import { Sandbox, TOKEN } from "./support/sandbox.js";

/** What a handler behind the lock answers; it must reach nobody without the token. */
const SECRET = "the-secret-of-a-protected-route";

const service = (name: string, fields = "", answer = SECRET) => `import { Hono } from "hono";
  const routes = new Hono();
  const answer = (c) => { c.header("x-answered", "${name}"); return c.text("${answer}"); };
  ${ROUTES.map(({ method, path }) => `routes.on("${method}", "${path}", answer);`).join("\n")}
  routes.options("*", answer);
  export default { name: "${name}", routes, ${fields} };`;

const ROUTES = [
  { method: "GET", path: "/" },
  { method: "GET", path: "/tasks" },
  { method: "POST", path: "/tasks" },
  { method: "GET", path: "/tasks/:id" },
  { method: "PATCH", path: "/tasks/:id" },
  { method: "DELETE", path: "/tasks/:id" },
  { method: "GET", path: "/files/*" },
  { method: "GET", path: "/_panel" },
];

const sandbox = new Sandbox({
  "board/index.ts": service("board"),
  "Board2/index.ts": service("Board2"),
  "open/index.ts": service("open", "requiresAuth: false", "for everybody"),
  // Asked last for every path that no name matches, and open: what is protected must not come through it.
  "web/index.ts": service("web", "mountAtRoot: true, requiresAuth: false", "for everybody"),
  "lock/index.ts": `import { Hono } from "hono";
    const routes = new Hono();
    routes.all("/admin/*", (c) => { c.header("x-answered", "lock"); return c.text("${SECRET}"); });
    export default { name: "lock", routes, mountAtRoot: true };`,
});
let reef: ReefProcess;
beforeAll(async () => {
  reef = await new ReefProcess(sandbox).serving("board", "Board2", "open", "web", "lock");
});
afterAll(async () => {
  await reef.stop("SIGKILL");
  sandbox.remove();
});

const WRONG: Record<string, string | undefined> = {
  none: undefined,
  empty: "",
  "scheme alone": "Bearer",
  "no token": "Bearer ",
  "wrong token": "Bearer wrong",
  "wrong token of that length": `Bearer ${"x".repeat(TOKEN.length)}`,
  prefix: `Bearer ${TOKEN.slice(0, -1)}`,
  suffix: `Bearer ${TOKEN.slice(1)}`,
  "more than the token": `Bearer ${TOKEN}x`,
  "other case": `Bearer ${TOKEN.toUpperCase()}`,
  "token alone": TOKEN,
  "another scheme": `Token ${TOKEN}`,
  basic: `Basic ${btoa(`bearer:${TOKEN}`)}`,
  "two spaces": `Bearer  ${TOKEN}`,
  quoted: `Bearer "${TOKEN}"`,
};
const RIGHT: Record<string, string> = {
  right: `Bearer ${TOKEN}`,
  "lower-case scheme": `bearer ${TOKEN}`,
  "upper-case scheme": `BEARER ${TOKEN}`,
};

/** Sends a request line byte for byte, and returns the reply. */
async function send(line: string, authorization?: string, headers = "Host: 127.0.0.1\r\n") {
  const auth = authorization === undefined ? "" : `Authorization: ${authorization}\r\n`;
  const text = await raw(reef.port, `${line}\r\n${headers}${auth}Connection: close\r\n\r\n`);
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0);
  return { text, status, answeredBy: /^x-answered: (.*)\r$/im.exec(text)?.[1] };
}
type Reply = Awaited<ReturnType<typeof send>>;

function expectClosed(reply: Reply, what: string): void {
  expect([what, reply.text.includes(SECRET)]).toEqual([what, false]);
  expect([what, ["board", "Board2", "lock"].includes(reply.answeredBy ?? "")]).toEqual([what, false]);
}

const pathOf = (path: string) => path.replace(":id", "7").replace("*", "a/b");
const MOUNTED = [
  ...ROUTES.map(({ method, path }) => [method, `/board${pathOf(path)}`.replace(/\/$/, "")] as const),
  ...ROUTES.map(({ method, path }) => [method, `/Board2${pathOf(path)}`] as const),
  ["GET", "/admin/x"],
  ["POST", "/admin/x/y"],
] as const;

describe.each(MOUNTED.map(([method, path]) => [method, path]))("%s %s", (method, path) => {
  test.each(Object.entries(WRONG))("with credentials: %s → 401 in JSON", async (_what, authorization) => {
    const reply = await send(`${method} ${path} HTTP/1.1`, authorization);
    expectClosed(reply, path);
    expect(reply.status).toBe(401);
    expect(reply.text).toMatch(/^www-authenticate: Bearer/im);
    expect(reply.text).toEndWith('{"error":"unauthorized"}');
  });

  test.each(Object.entries(RIGHT))("with credentials: %s → answered", async (_what, authorization) => {
    const reply = await send(`${method} ${path} HTTP/1.1`, authorization);
    expect([reply.status, reply.text.includes(SECRET)]).toEqual([200, true]);
  });

  test.each(["HEAD", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get", "X"])(
    "the method %s opens nothing",
    async (other) => {
      expectClosed(await send(`${other} ${path} HTTP/1.1`), other);
    },
  );
});

test.each(["HEAD", "OPTIONS"])("%s without a token is a 401 like any other", async (method) => {
  for (const path of ["/board", "/board/tasks", "/board/nothing-here"])
    expect((await send(`${method} ${path} HTTP/1.1`)).status).toBe(401);
});

/** Ways to write `/board/tasks` that a router, a proxy or a file system might take for it. */
const TRICKS = [
  "//board/tasks",
  "///board/tasks",
  "/board//tasks",
  "/board/tasks/",
  "/board/",
  "/./board/tasks",
  "/x/../board/tasks",
  "/open/../board/tasks",
  "/board/../board/tasks",
  "/open/%2e%2e/board/tasks",
  "/open/%2E%2E/board/tasks",
  "/open/..%2fboard/tasks",
  "/open/..%2Fboard%2Ftasks",
  "/open%2f..%2fboard/tasks",
  "/open/..;/board/tasks",
  "/open/..\\board\\tasks",
  "/open\\..\\board/tasks",
  "\\board\\tasks",
  "/\\board/tasks",
  "/%62oard/tasks",
  "/%62%6f%61%72%64/tasks",
  "/%2562oard/tasks",
  "/board%2ftasks",
  "/board%2Ftasks",
  "/board%252ftasks",
  "/board%00/tasks",
  "/board%20/tasks",
  "/board;x=1/tasks",
  "/board./tasks",
  "/board?/tasks",
  "/board#/tasks",
  "/BOARD/tasks",
  "/Board/tasks",
  "/bo%61rd/tasks",
  "/board/%74asks",
  "/board/tasks%2f..",
  "/board/tasks?token=",
  "/health/../board/tasks",
  "/health%2f..%2fboard/tasks",
  "/health/%2e%2e/board/tasks",
  "/open?/../board/tasks",
  "/open/?x=/board/tasks",
  "/%2fboard/tasks",
  "/%2f/board/tasks",
  "/.%2fboard/tasks",
  "/\tboard/tasks",
  "/board\xa0/tasks",
  "/bo\xc3\xa4rd/tasks",
  "/ｂoard/tasks",
  "/__proto__/tasks",
  "/constructor",
  "/%61dmin/x",
  "/open/../admin/x",
  "//admin/x",
  "/ADMIN/x",
  "/admin%2fx",
  "/admin/../admin/x",
  "*",
  "",
  "board/tasks",
  "?/board/tasks",
];
/** The whole URL where a path is expected, and other forms of the request target. */
const TARGETS = [
  ...TRICKS,
  "http://127.0.0.1/board/tasks",
  "http://127.0.0.1//board/tasks",
  "http://evil.example/board/tasks",
  "http://user:pass@127.0.0.1/board/tasks",
  "HTTP://127.0.0.1/board/tasks",
  "https://127.0.0.1/board/tasks",
  "http://127.0.0.1/open/../board/tasks",
  "http:///board/tasks",
  "http:/board/tasks",
  "http://health/../board/tasks",
  "http://127.0.0.1?/board/tasks",
  "http://127.0.0.1#/board/tasks",
  "http://127.0.0.1\\board\\tasks",
  "file:///board/tasks",
  "127.0.0.1:80",
  "//evil.example/board/tasks",
];

describe.each(TARGETS.map((target) => [target]))("the request target %p", (target) => {
  test.each(["GET", "HEAD", "POST", "OPTIONS", "DELETE"])("%s opens nothing", async (method) => {
    for (const authorization of [undefined, "Bearer wrong"])
      expectClosed(await send(`${method} ${target} HTTP/1.1`, authorization), target);
  });
});

test.each([
  ["no host", ""],
  ["an empty host", "Host:\r\n"],
  ["a path as host", "Host: /open\r\n"],
  ["a host with a path", "Host: 127.0.0.1/open/\r\n"],
  ["a host with a path and a question mark", "Host: 127.0.0.1/open?\r\n"],
  ["a host with a fragment", "Host: 127.0.0.1/open#\r\n"],
  ["a whole URL as host", "Host: http://127.0.0.1/open\r\n"],
  ["a host with credentials", "Host: open@127.0.0.1\r\n"],
  ["a host with a backslash", "Host: 127.0.0.1\\open\\\r\n"],
  ["a host with dots", "Host: 127.0.0.1/open/..\r\n"],
  ["two hosts", "Host: 127.0.0.1\r\nHost: 127.0.0.1/open\r\n"],
  ["a host of one letter", "Host: a\r\n"],
  ["a host with a space", "Host: 127.0.0.1 /open\r\n"],
  [
    "another path by header",
    "Host: h\r\nX-Original-URL: /open\r\nX-Rewrite-URL: /open\r\nX-Forwarded-Prefix: /open\r\n",
  ],
  ["another method by header", "Host: h\r\nX-HTTP-Method-Override: GET\r\n"],
  ["a claim to be local", "Host: localhost\r\nX-Forwarded-For: 127.0.0.1\r\nForwarded: for=127.0.0.1\r\n"],
  ["a token in a cookie", `Host: h\r\nCookie: token=${TOKEN}; Authorization=Bearer ${TOKEN}\r\n`],
  ["two authorizations", `Host: h\r\nAuthorization: Bearer x\r\nAuthorization: Bearer ${TOKEN}\r\n`],
  ["a folded header", `Host: h\r\nAuthorization: Bearer\r\n ${TOKEN}\r\n`],
])("%s opens nothing", async (what, headers) => {
  for (const target of ["/board/tasks", "/board", "/admin/x", "/open/../board/tasks"]) {
    expectClosed(await send(`GET ${target} HTTP/1.1`, undefined, headers), `${what}: ${target}`);
  }
});

test("a request behind another one on the same connection needs a token of its own", async () => {
  const first = `GET /board/tasks HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n`;
  const second = "GET /board/tasks HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
  const text = await raw(reef.port, first + second);
  expect(text.split(SECRET)).toHaveLength(2);
  expect(text).toContain("HTTP/1.1 401");
});

test("a body that looks like a request is none", async () => {
  const inner = `GET /board/tasks HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n`;
  const text = await raw(
    reef.port,
    `POST /open/tasks HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: ${inner.length}\r\n\r\n${inner}`,
  );
  expect(text).not.toContain(SECRET);
});

test("open services, /health and unknown names answer without a token", async () => {
  const show = async (line: string) => {
    const { status, answeredBy } = await send(line);
    return [status, answeredBy];
  };
  expect(await show("GET /open/tasks HTTP/1.1")).toEqual([200, "open"]);
  expect(await show("GET /tasks HTTP/1.1")).toEqual([200, "web"]);
  expect(await show("GET /health HTTP/1.1")).toEqual([200, undefined]);
  expect(await show("GET /nobody HTTP/1.1")).toEqual([404, undefined]);
});

test("the server is alive after all of this, and says nothing of the token", async () => {
  expect(await (await reef.call("/board/tasks")).text()).toBe(SECRET);
  expect(reef.output).not.toContain(TOKEN);
});
