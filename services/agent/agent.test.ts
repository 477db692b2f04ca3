import { afterAll, beforeAll, expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { probeService } from "../../tests/agent/probe-service.js";
import { startReef, type TestReef } from "../../tests/agent/reef.js";
import { eventually } from "../../tests/support/sandbox.js";

const plain = (name: string, capabilities: string[], extra = "") => `export default { name: "${name}",
  capabilities: ${JSON.stringify(capabilities)},
  registerTools(pi, client) {
    pi.registerTool({ name: "${name}_work", label: "", description: "", parameters: {}, execute: async () => client.ok("") });
    ${extra} } };`;

let reef: TestReef;
beforeAll(async () => {
  reef = await startReef(["services/agent"], {
    "probe/index.ts": probeService(1),
    "ops/index.ts": plain("ops", ["ops"]),
    "dev/index.ts": plain("dev", ["dev"]),
    "server/index.ts": `export default { name: "server", init() {} };`,
  });
});
afterAll(() => reef.stop());

const change = async (files: Record<string, string>) => {
  await reef.write(files);
  await reef.server.ctx.registry.sync();
};

test("the file needs the token", async () => {
  for (const path of ["/extension.js", "/extension", "/extension/bootstrap.js"]) {
    expect((await fetch(reef.url + path)).status).toBe(401);
  }
});

test("the file is JavaScript whose ETag is the hash of its content", async () => {
  const response = await reef.fetch("/extension.js");
  const code = await response.text();
  const hash = new Bun.CryptoHasher("sha256").update(code).digest("hex");
  expect(response.headers.get("content-type")).toStartWith("text/javascript");
  expect(response.headers.get("etag")).toBe(`"${hash}"`);
  expect(code).toContain("probe_only_in_1");
  for (const header of [`"${hash}"`, `W/"${hash}"`, `"other", "${hash}"`, "*"]) {
    const again = await reef.fetch("/extension.js", { headers: { "if-none-match": header } });
    expect([header, again.status, await again.text()]).toEqual([header, 304, ""]);
  }
  expect((await reef.fetch("/extension.js", { headers: { "if-none-match": '"other"' } })).status).toBe(200);
});

test("the file follows the services; a change that fails leaves it as it is", async () => {
  const before = await reef.json("/extension");
  expect(before.services).toEqual(["dev", "ops", "probe"]);
  // The start answers first and copies what it serves afterwards.
  await eventually(() => reef.server.ctx.registry.versions("probe").length > 0, "the copy");
  await change({ "probe/index.ts": "export default {" });
  expect((await reef.json("/extension")).hash).toBe(before.hash);
  // Another change makes a new file; the broken service is in it with the code that serves.
  await change({ "other/index.ts": plain("other", []) });
  const { services, leftOut } = await reef.json("/extension");
  expect({ services, leftOut }).toEqual({ services: ["dev", "ops", "other", "probe"], leftOut: [] });
  await change({ "probe/index.ts": probeService(2) });
  expect((await reef.json("/extension")).hash).not.toBe(before.hash);
  expect(await (await reef.fetch("/extension.js")).text()).toContain("probe_only_in_2");
  for (const name of ["other", "probe"]) rmSync(join(reef.servicesDir, name), { recursive: true });
  await change({});
  expect((await reef.json("/extension")).services).toEqual(["dev", "ops"]);
});

test("an agent gets a file for some of the services, by list or by category", async () => {
  const services = async (query: string) =>
    /Services: ([^.]*)\./.exec(await (await reef.fetch(`/extension.js${query}`)).text())?.[1];
  expect(await services("?services=dev")).toBe("dev");
  expect(await services("?category=ops")).toBe("ops");
  expect(await services("?services=none")).toBe("none");
  expect(await services("")).toBe("dev, ops");
});

test("any tool of the catalogue can be called by its name", async () => {
  await change({ "probe/index.ts": probeService(9) });
  const call = async (body: unknown, headers = {}) => {
    const init = { method: "POST", body: JSON.stringify(body), headers };
    const response = await reef.fetch("/extension/call", init);
    return [response.status, await response.json()];
  };
  const sum = { name: "plugin__com_example_math-plugin__math__add", arguments: { a: 1, b: 2 } };
  expect(await call(sum)).toEqual([
    200,
    { content: [{ type: "text", text: expect.stringContaining('"result": 3') }] },
  ]);
  expect(await call(sum, { "x-reef-agent-name": "J%C3%BCrgen" })).toEqual([
    200,
    { content: [{ type: "text", text: expect.stringContaining('"agentName": "Jürgen"') }] },
  ]);
  expect(await call({ name: "probe_fails" })).toEqual([422, { error: "on purpose" }]);
  expect(await call({ name: "nothing" })).toEqual([404, { error: expect.stringContaining("no tool") }]);
  expect(await call({ ...sum, arguments: { a: "x" } })).toEqual([
    400,
    { error: expect.stringContaining("a must be") },
  ]);
  expect(await call({})).toEqual([400, { error: expect.stringContaining("name") }]);
  rmSync(join(reef.servicesDir, "probe"), { recursive: true });
  await change({});
});

test("a tool that is registered after a while can be called once it is", async () => {
  const late = plain("slow", [])
    .replace("registerTools(", "async registerTools(")
    .replace("pi.reg", "await 0; pi.reg");
  await change({ "slow/index.ts": late });
  const init = { method: "POST", body: '{"name":"slow_work"}' };
  await eventually(async () => (await reef.fetch("/extension/call", init)).status === 200);
  rmSync(join(reef.servicesDir, "slow"), { recursive: true });
  await change({});
});

test("the report names what agents will not have", async () => {
  await change({
    "clash/index.ts": plain(
      "clash",
      [],
      `pi.registerTool({ name: "dev_work", label: "", description: "", parameters: {}, execute() {} });`,
    ),
    "late/index.ts": `const delay = globalThis.Bun === undefined; export default { name: "late", delay, registerTools(pi, client) {
      if (!process.env.REEF_DATA_DIR) throw new Error("only in the server"); } };`,
  });
  const { services, problems } = await reef.json("/extension");
  expect(services).toEqual(["clash", "dev", "late", "ops"]);
  expect(problems).toEqual([
    { service: "clash", tool: "dev_work", error: expect.stringContaining('already used by "dev"') },
    { service: "late", error: "registerTools threw: only in the server" },
  ]);
});
