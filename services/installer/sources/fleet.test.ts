import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { eventually } from "../../../tests/support/sandbox.js";
import { writeFiles } from "../testing/git-host.js";
import { type Instance, snapshot, startInstance } from "../testing/instance.js";
import { sampleFiles } from "../testing/samples.js";
import { member, tarball } from "../testing/tarball.js";

let one: Instance;
let other: Instance;

async function author(instance: Instance, version: string): Promise<void> {
  const folder = join(instance.servicesDir, "greeter");
  mkdirSync(folder, { recursive: true });
  writeFiles(folder, sampleFiles("greeter", version));
  expect((await instance.post("/services/reload", {})).data.errors).toEqual([]);
}

beforeAll(async () => {
  one = await startInstance({ token: "token-of-the-first-instance", builtIns: ["ui"] });
  other = await startInstance({ token: "token-of-the-other-instance", builtIns: ["ui"] });
  await author(one, "1");
});
afterAll(async () => {
  await one.close();
  await other.close();
});

describe("two instances", () => {
  test("pass a service with its panel, tools and tests on, and it works at once", async () => {
    const from = { from: one.url, name: "greeter", token: one.token };
    const installed = await other.install({ ...from, test: true });
    expect(installed).toMatchObject({
      status: 201,
      data: { name: "greeter", dirName: "greeter", from: one.url, type: "fleet", action: "installed" },
    });
    expect(installed.data.tests.detail).toBe("1 test passed");
    expect((await other.request("GET", "/greeter")).data).toEqual({ version: "1", greeting: "hello from 1" });
    expect((await other.request("GET", "/greeter/_panel")).data).toContain("panel-greeter");
    const { data: manifest } = await other.request("GET", "/services/manifest");
    const listed = manifest.services.find(({ name }: { name: string }) => name === "greeter");
    expect(JSON.stringify(listed.tools)).toContain("greeter_greet");
    expect(manifest.servicesWithPanels).toContain("greeter");
    const deployed = await other.post("/services/deploy", { name: "greeter" });
    expect(deployed).toMatchObject({ status: 200, data: { deployed: true } });
  });

  test("pass on code that is called like a secret, and say which other files stayed behind", async () => {
    writeFiles(join(one.servicesDir, "vault"), {
      "index.ts":
        'import { open } from "./credentials.js"; export default { name: "vault", description: open };',
      "credentials.ts": 'export const open = "sesame";',
      "lib/server.key": "key",
      "debug.log": "",
    });
    await one.post("/services/reload/vault", {});
    const installed = await other.install({ from: one.url, name: "vault", token: one.token });
    expect(installed.data).toMatchObject({ name: "vault", action: "installed" });
    const job = await other.request("GET", `/installer/jobs/${installed.data.id}`);
    expect(job.data.steps[0]).toMatchObject({
      step: "fetch",
      detail: "excluded from the export: debug.log, lib/server.key",
    });
    expect(one.log.join("\n")).toContain("excludes debug.log, lib/server.key");
    expect((await other.post("/installer/remove", { name: "vault" })).status).toBe(200);
    expect((await one.request("DELETE", "/services/vault")).status).toBe(200);
  });

  test("and it can be passed back", async () => {
    const back = await one.install({
      from: other.url,
      name: "greeter",
      token: other.token,
      dirName: "greeter-back",
    });
    expect(back).toMatchObject({ status: 409, data: { step: "validate" } });
    await one.request("DELETE", "/services/greeter");
    const again = await one.install({
      from: other.url,
      name: "greeter",
      token: other.token,
      dirName: "greeter-back",
    });
    expect(again).toMatchObject({ status: 201, data: { name: "greeter", dirName: "greeter-back" } });
    expect((await one.request("GET", "/greeter")).data.version).toBe("1");
    expect((await one.post("/installer/remove", { name: "greeter" })).data.dirName).toBe("greeter-back");
    await one.post("/services/reload", {});
  });

  test("an update takes what the other has now; its token is needed again and kept nowhere", async () => {
    await author(one, "2");
    expect((await other.post("/installer/update", { name: "greeter" })).status).toBe(502);
    const updated = await other.post("/installer/update", { name: "greeter", token: one.token });
    expect(updated).toMatchObject({ status: 200, data: { action: "updated", changed: true } });
    expect((await other.request("GET", "/greeter")).data.version).toBe("2");
    const kept = await Bun.$`grep -rl ${one.token} ${other.dataDir}`.nothrow().text();
    expect(kept.split("\n").filter((path) => path && !path.includes("/snapshots/installer/"))).toEqual([]);
    expect(other.log.join("\n")).not.toContain(one.token);
  });

  test("the progress is told as events", async () => {
    const seen: string[] = [];
    const ids = new Set<string>();
    const stop = other.reef.events.on("installer:progress", ({ id, step, status }) => {
      ids.add(id);
      seen.push(`${step} ${status}`);
    });
    const events: Array<{ type: string; metadata: { id: string } }> = [];
    const stopTree = other.reef.events.on("reef:event", (event) => {
      if (event.type.startsWith("installer_")) events.push(event);
    });
    const told = () => events.filter(({ metadata }) => ids.has(metadata.id)).map(({ type }) => type);
    await other.post("/installer/update", { name: "greeter", token: one.token });
    await other.post("/installer/remove", { name: "greeter" });
    stop();
    // They are told of once they are on disk, which no reply waits for: those of earlier jobs may come here, too.
    await eventually(() => told().length >= 2, "the second event");
    stopTree();
    const steps = ["fetch", "unpack", "check", "dependencies", "validate", "load"];
    const update = steps.flatMap((step) => [`${step} running`, `${step} done`]);
    expect(seen).toEqual([...update, "end done", "remove running", "remove done", "end done"]);
    expect(told()).toEqual(["installer_update_done", "installer_remove_done"]);
  });
});

describe("an instance that is not what it should be", () => {
  const decent = gzipSync(tarball(member({ name: "x/index.ts", content: 'export default { name: "x" };' })));
  const token = "token-for-the-odd-instance";

  async function installFrom(
    fetch: (request: Request) => Response | Promise<Response>,
    from = (url: string) => url,
  ) {
    const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch });
    const before = snapshot(other.servicesDir);
    const reply = await other.install({ from: from(server.url.href), name: "x", token });
    await server.stop(true);
    if (reply.status !== 201) expect(snapshot(other.servicesDir)).toEqual(before);
    else await other.post("/installer/remove", { name: "x" });
    return reply;
  }

  test.each<[string, () => Response, number, RegExp]>([
    ["has no such service", () => new Response("", { status: 404 }), 404, /no service "x"/],
    ["refuses the token", () => new Response("", { status: 401 }), 502, /rejected the token/],
    ["fails", () => new Response("boom", { status: 500 }), 502, /returned 500: boom/],
    ["sends a page", () => new Response("<html>"), 400, /damaged/],
    ["sends half", () => new Response(decent.subarray(0, 60)), 400, /damaged/],
    ["sends too much", () => new Response(gzipSync(Buffer.alloc(80_000_000))), 400, /larger than/],
    ["redirects to a private address", () => Response.redirect("http://10.0.0.1/x"), 403, /not public/],
    [
      "redirects to the metadata of a cloud",
      () => Response.redirect("http://169.254.169.254/x"),
      403,
      /not public/,
    ],
    [
      "redirects to a file",
      () => new Response(null, { status: 302, headers: { location: "file:///etc/passwd" } }),
      502,
      /redirects/,
    ],
    [
      "redirects with a password",
      () => new Response(null, { status: 302, headers: { location: "http://a:b@127.0.0.1/" } }),
      502,
      /redirects/,
    ],
    [
      "redirects for ever",
      () => new Response(null, { status: 302, headers: { location: "/again" } }),
      502,
      /redirects/,
    ],
  ])("%s", async (_name, answer, status, message) => {
    const reply = await installFrom(answer);
    expect(reply).toMatchObject({ status, data: { error: expect.stringMatching(message) } });
  });

  test("wants a token: without one it is asked for, not refused", async () => {
    const server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: () => new Response("", { status: 401 }),
    });
    const reply = await other.install({ from: server.url.href, name: "x" });
    await server.stop(true);
    expect(reply).toMatchObject({
      status: 502,
      data: { error: expect.stringContaining('requires its token; pass it in "token"') },
    });
  });

  test("is not there: a token that is too short for one leaves the error readable", async () => {
    const reply = await other.install({ from: "http://127.0.0.1:1", name: "y", token: "t" });
    expect(reply.data.error).toContain("http://127.0.0.1:1 cannot be reached");
  });

  test("sends the token back in its error, where it is not repeated", async () => {
    const reply = await installFrom(
      (request) => new Response(request.headers.get("authorization"), { status: 500 }),
    );
    expect(reply.data.error).toContain("Bearer …");
    expect(JSON.stringify((await other.request("GET", "/installer/jobs")).data)).not.toContain(token);
  });

  test("redirects to another origin, which does not get the token", async () => {
    const tokens: Array<string | null> = [];
    const target = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch(request) {
        tokens.push(request.headers.get("authorization"));
        return new Response(decent);
      },
    });
    const reply = await installFrom(() => Response.redirect(`${target.url.href}export`));
    await target.stop(true);
    expect(reply.status).toBe(201);
    expect(tokens).toEqual([null]);
  });

  test("is asked below the path it was given with", async () => {
    const paths: string[] = [];
    const answer = (request: Request) => {
      paths.push(new URL(request.url).pathname);
      return new Response(decent);
    };
    expect((await installFrom(answer, (url) => `${url}some/reef/`)).status).toBe(201);
    expect(paths).toEqual(["/some/reef/services/export/x"]);
  });

  test.each([
    [{ from: "http://127.0.0.1:1" }, 400, /"name" is required/],
    [{ from: "http://127.0.0.1:1", name: "../x" }, 400, /is not a valid service name/],
    [{ from: "http://user:hunter2@127.0.0.1:1", name: "x" }, 400, /contains a user/],
    [{ from: "http://127.0.0.1:1/?x=1", name: "x" }, 400, /"\?" or "#"/],
    [{ from: "ftp://127.0.0.1:1", name: "x" }, 400, /http or https/],
    [{ from: "http://10.1.2.3", name: "x" }, 403, /REEF_INSTALL_ALLOW=private/],
    [{ from: "http://[::ffff:10.1.2.3]", name: "x" }, 403, /REEF_INSTALL_ALLOW=private/],
    [{ from: "http://127.0.0.1:1", name: "x" }, 502, /cannot be reached/],
    [{ from: "http://127.0.0.1:1", name: "x", source: "a/b" }, 400, /either/],
    [{}, 400, /either/],
    [{ from: 7 }, 400, /from must be a string/],
  ])("%j", async (body, status, message) => {
    const reply = await other.install(body);
    expect(reply).toMatchObject({ status, data: { error: expect.stringMatching(message) } });
    expect(JSON.stringify(reply.data)).not.toContain("hunter2");
  });

  test("nothing of it is left", () => {
    expect(existsSync(join(other.servicesDir, "x"))).toBe(false);
    expect(snapshot(join(other.dataDir, ".reef/installer/staging"))).toEqual([]);
  });
});

test("a name is judged by where it leads, also when the operator allows nothing", async () => {
  const strict = await startInstance({ env: { REEF_INSTALL_ALLOW: "none" } });
  const reply = await strict.install({
    from: one.url.replace("127.0.0.1", "localhost"),
    name: "greeter",
    token: one.token,
  });
  expect(reply).toMatchObject({
    status: 403,
    data: { error: expect.stringContaining("REEF_INSTALL_ALLOW=loopback") },
  });
  await strict.close();
});
