import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createSocket } from "node:dgram";
import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { ATTEMPTS, type World } from "../testing/escapes.js";
import { failure, temporaryFolder, testBroker } from "../testing/fixtures.js";
import { detectEnforcement } from "./level.js";

const SECRET = "SECRET-4711";
const { level, reason } = await detectEnforcement();
const source = readFileSync(join(import.meta.dir, "../testing/escapes.ts"), "utf8");

/** Attempts that must work under these permissions; under the others they must fail. */
const ALLOWED: Record<string, string[]> = {
  none: ["read its own folder"],
  files: [
    "read its own folder",
    "read an allowed file",
    "list an allowed folder",
    "read an allowed dotfile",
    "write below an allowed-to-read folder",
    "write an allowed file",
    "write with Bun.write",
  ],
  exceptions: ["read its own folder", "read an allowed file", "read an allowed dotfile"],
  others: [
    "read its own folder",
    "fetch from the allowed host",
    "post to the allowed host",
    "read an allowed variable",
    "run an allowed command",
  ],
};

const outer = temporaryFolder();
const at = (...parts: string[]) => join(outer.path, ...parts);
const setup = testBroker(
  { crashLimit: 1_000, restartDelay: 1, maxMemory: 1024 ** 3 },
  {
    environment: {
      PATH: process.env.PATH,
      ALLOWED_VALUE: "yes",
      OTHER: "planted-secret",
      VERS_AUTH_TOKEN: "planted-secret",
    },
  },
);
const closers: (() => unknown)[] = [];
let world: Omit<World, "own">;
/** Connections and datagrams that came where none may come. */
let arrivals = 0;

function listen(server: Server, where: number | string, host?: string): Promise<void> {
  closers.push(() => server.close());
  return new Promise((resolve) => {
    if (typeof where === "string") server.listen(where, () => resolve());
    else server.listen(where, host, () => resolve());
  });
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

async function buildWorld(): Promise<Omit<World, "own">> {
  for (const folder of ["outside", "inside/sub", "inside/private"])
    mkdirSync(at(folder), { recursive: true });
  for (const file of ["outside/secret.txt", "inside/private/secret.txt", "inside/sub/.env"])
    writeFileSync(at(file), SECRET);
  writeFileSync(at("outside/code.ts"), `export default "${SECRET}";`);
  for (const file of ["inside/ok.txt", "inside/sub/.profile"]) writeFileSync(at(file), "fine");
  symlinkSync(at("outside/secret.txt"), at("inside/link-out"));
  symlinkSync(at("outside"), at("inside/folder-out"));
  const tcp = createServer((socket) => {
    arrivals++;
    socket.on("error", () => socket.destroy()).end(SECRET);
  });
  await listen(tcp, 0);
  const unix = createServer((socket) => {
    arrivals++;
    socket
      .on("error", () => socket.destroy())
      .end(`HTTP/1.1 200 OK\r\nContent-Length: ${SECRET.length}\r\n\r\n${SECRET}`);
  });
  await listen(unix, at("unix.sock"));
  const udp = createSocket("udp4");
  udp.on("message", (_message, { port, address }) => {
    arrivals++;
    udp.send(SECRET, port, address);
  });
  await new Promise<void>((resolve) => udp.bind(0, "127.0.0.1", resolve));
  closers.push(() => udp.close());
  const forbidden = Bun.serve({
    port: 0,
    hostname: "::",
    fetch(request, server) {
      arrivals++;
      return server.upgrade(request) ? undefined : new Response(SECRET);
    },
    websocket: { message: () => undefined },
  });
  const allowed = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      const { pathname } = new URL(request.url);
      if (pathname === "/redirect") return Response.redirect(`http://127.0.0.1:${forbidden.port}/`);
      if (pathname === "/host") return new Response(request.headers.get("host"));
      return new Response(pathname === "/echo" ? await request.text() : "fine");
    },
  });
  closers.push(
    () => forbidden.stop(true),
    () => allowed.stop(true),
  );
  const victim = Bun.spawn(["sleep", "600"], { stdio: ["ignore", "ignore", "ignore"] });
  closers.push(() => victim.kill("SIGKILL"));
  return {
    outside: at("outside"),
    inside: at("inside"),
    tcp: portOf(tcp),
    udp: udp.address().port,
    http: forbidden.port ?? 0,
    allowedHttp: allowed.port ?? 0,
    unixSocket: at("unix.sock"),
    victim: victim.pid,
    host: process.pid,
    nodeAddon: "/lib/x86_64-linux-gnu/libm.so.6",
  };
}

beforeAll(async () => {
  world = await buildWorld();
  const permissions: Record<string, unknown[]> = {
    none: [],
    files: [
      { permission: "fs-read", allow: [`${world.inside}/**`] },
      { permission: "fs-write", allow: [`${world.inside}/**`] },
    ],
    exceptions: [
      {
        permission: "fs-read",
        allow: [`${world.inside}/**`],
        deny: [`${world.inside}/private/**`, "/**/.env"],
      },
      { permission: "fs-write", allow: [`${world.inside}/**`], deny: [`${world.inside}/**`] },
    ],
    others: [
      { permission: "network", domains: [`127.0.0.1:${world.allowedHttp}`] },
      { permission: "env", allow: ["ALLOWED_*", "VERS_*"] },
      { permission: "shell:execute", allow: [{ command: "echo", args: ["hello"] }, { command: "cat" }] },
    ],
  };
  for (const [id, list] of Object.entries(permissions)) {
    await setup.add({ id, permissions: list, methods: { attempt: {} }, code: source });
  }
});

afterAll(async () => {
  await setup.close();
  for (const close of closers) await close();
  outer.remove();
});

/** Under full file permissions these are no escapes: they stay within what is allowed. */
const WITHIN: Record<string, string[]> = {
  files: [
    "read what is denied below what is allowed",
    "list what is denied below what is allowed",
    "read a denied dotfile",
    "rename a denied folder to a name that is allowed",
  ],
};

function unharmed(): void {
  expect(readFileSync(at("outside/secret.txt"), "utf8")).toBe(SECRET);
  expect(statSync(at("outside/secret.txt")).mtimeMs).toBeGreaterThan(1_000_000);
  for (const made of [
    "outside/written",
    "outside/made",
    "outside/data.sqlite",
    "inside/made-link",
    "inside/hard",
    "inside/copy",
  ]) {
    expect(existsSync(at(made))).toBe(false);
  }
  process.kill(world.victim, 0);
  expect(arrivals).toBe(0);
}

describe.skipIf(level !== "full")(`escape attempts (${reason})`, () => {
  for (const [id, allowed] of Object.entries(ALLOWED)) {
    describe(`with the permissions "${id}"`, () => {
      for (const name of Object.keys(ATTEMPTS)) {
        const expected = allowed.includes(name);
        if (WITHIN[id]?.includes(name)) continue;
        test(`${name}: ${expected ? "works" : "fails"}`, async () => {
          const input = { name, world: { ...world, own: join(setup.folder, id) } };
          const call = setup.broker.call<{ got: string }>(id, "main", "attempt", input, { timeout: 8_000 });
          if (expected) expect((await call).got).not.toContain(SECRET);
          else {
            const error = await failure(call);
            expect(error.message).not.toContain("the call succeeded");
            expect(["method_failed", "permission_denied", "worker_died", "timeout"]).toContain(error.code);
          }
          unharmed();
        });
      }
    });
  }

  test("more single files than a process may have open can be permitted", async () => {
    mkdirSync(at("single"));
    for (let n = 0; n < 1_500; n++) writeFileSync(at(`single/${n}.txt`), String(n));
    await setup.add({
      id: "single",
      permissions: [{ permission: "fs-read", allow: [at("single/*.txt")] }],
      methods: { read: {} },
      code: `import { readFileSync } from "node:fs";
        export default { services: { main: { read: ({ file }) => readFileSync(file, "utf8") } } };`,
    });
    const read = (file: string) =>
      setup.broker.call<string>("single", "main", "read", { file: at("single", file) });
    expect(await Promise.all(["0.txt", "1499.txt"].map(read))).toEqual(["0", "1499"]);
  });

  test("a package that ships links leading out is refused", async () => {
    const fixture = { id: "linked", methods: { attempt: {} }, code: source };
    await setup.add(fixture);
    symlinkSync(at("outside"), join(setup.folder, "linked", "data"));
    expect(setup.broker.load(join(setup.folder, "linked"))).rejects.toThrow("leads out of the package");
  });
});
