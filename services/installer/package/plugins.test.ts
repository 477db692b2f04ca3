import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { GitHost } from "../testing/git-host.js";
import { type Instance, snapshot, startInstance } from "../testing/instance.js";

const host = new GitHost();
let reef: Instance;
let url: string;
let empty: string[];

beforeAll(async () => {
  reef = await startInstance({ builtIns: ["broker"] });
  url = host.serveSmart();
  empty = snapshot(reef.servicesDir);
});
afterAll(async () => {
  await reef.close();
  await host.close();
});

function plugin(factor: number, permissions: unknown[], more: object = {}): Record<string, string> {
  const method = {
    name: "scale",
    inputSchema: { type: "object", properties: { n: { type: "number" } }, required: ["n"] },
  };
  const service = { name: "math", main: "main.ts", methods: [method], ...more };
  return {
    "package.json": JSON.stringify({
      name: "scaler",
      version: `${factor}.0.0`,
      reef: { permissions, services: [service] },
    }),
    "main.ts": `export default { services: { math: { async scale({ n }) { return { result: n * ${factor} }; } } } };`,
  };
}

async function scale(n: number): Promise<unknown> {
  const { data } = await reef.post("/broker/call/scaler/math/scale", { n });
  return data.result?.result ?? data.result ?? data;
}

test("a plugin is installed, taken up by the broker, updated with consent, and removed", async () => {
  host.create("ada/scaler", plugin(2, ["storage"]));
  const source = `${url}/ada/scaler.git`;
  const installed = await reef.install({ source });
  expect(installed).toMatchObject({
    status: 201,
    data: { name: "scaler", kind: "plugin", permissions: ["storage"] },
  });
  expect(await scale(21)).toBe(42);

  host.commit("ada/scaler", plugin(3, ["storage", { permission: "network", domains: ["*.example.org"] }]));
  const before = snapshot(reef.servicesDir);
  const refused = await reef.post("/installer/update", { name: "scaler" });
  const added = ["network: domains *.example.org"];
  expect(refused).toMatchObject({ status: 409, data: { permissions: { present: ["storage"], added } } });
  expect(refused.data.error).toContain("acceptPermissions");
  expect(snapshot(reef.servicesDir)).toEqual(before);
  expect(await scale(21)).toBe(42);

  const updated = await reef.post("/installer/update", { name: "scaler", acceptPermissions: true });
  expect(updated).toMatchObject({
    status: 200,
    data: { permissions: ["network: domains *.example.org", "storage"] },
  });
  const { data: list } = await reef.request("GET", "/installer/installed");
  expect(list.installed[0].permissions).toEqual(["network: domains *.example.org", "storage"]);

  host.commit("ada/scaler", plugin(4, ["storage"]));
  expect((await reef.post("/installer/update", { name: "scaler" })).status).toBe(200);
  expect(await scale(10)).toBe(40);
  expect((await reef.post("/installer/rollback", { name: "scaler" })).status).toBe(200);
  expect((await reef.post("/installer/remove", { name: "scaler" })).status).toBe(200);
  expect(snapshot(reef.servicesDir)).toEqual(empty);
  expect(existsSync(join(reef.servicesDir, "scaler"))).toBe(false);
});

const inOtherFormat = (files: Record<string, string>) => ({
  ...files,
  "package.json": (files["package.json"] ?? "").replace('"reef":', '"reef": { "name": "x" }, "kunkun":'),
});

test.each([
  ["another format, in which it may call everybody", inOtherFormat(plugin(2, [])), "service:call: *"],
  [
    "an index.ts, which makes it a part of the server",
    { ...plugin(2, []), "index.ts": 'export default { name: "scaler" };' },
    "it runs in the server's process",
  ],
])("an update to %s needs consent", async (_what, files, added) => {
  const repository = `ada/${Bun.hash(added)}`;
  host.create(repository, plugin(1, []));
  await reef.install({ source: `${url}/${repository}.git` });
  host.commit(repository, files);
  const name = (await reef.request("GET", "/installer/installed")).data.installed[0].name;
  const refused = await reef.post("/installer/update", { name });
  expect([refused.status, refused.data.permissions?.added]).toEqual([409, [expect.stringContaining(added)]]);
  expect((await reef.post("/installer/remove", { name })).status).toBe(200);
});

test.each([
  ["a main that is missing", plugin(1, [], { main: "nowhere.ts" }), "nowhere.ts"],
  ["a main outside of it", plugin(1, [], { main: "../../outside.ts" }), "outside.ts"],
  [
    "a schema that is none",
    plugin(1, [], { methods: [{ name: "x", inputSchema: { type: "nonsense" } }] }),
    "inputSchema",
  ],
  ["permissions that are none", plugin(1, "all" as never), "permissions"],
])("a plugin with %s is refused and nothing is left", async (what, files, field) => {
  const path = `eve/${what.replaceAll(/\W/g, "-")}`;
  host.create(path, files);
  const refused = await reef.install({ source: `${url}/${path}.git`, dirName: "odd" });
  expect(refused).toMatchObject({ status: 400, data: { error: expect.stringContaining(field) } });
  expect(snapshot(reef.servicesDir)).toEqual(empty);
});

test("a plugin whose identifier is taken is taken back", async () => {
  host.create("ada/first", plugin(2, []));
  host.create("eve/second", plugin(9, []));
  expect((await reef.install({ source: `${url}/ada/first.git` })).status).toBe(201);
  const before = snapshot(reef.servicesDir);
  const refused = await reef.install({ source: `${url}/eve/second.git` });
  expect(refused).toMatchObject({
    status: 400,
    data: { step: "load", error: expect.stringContaining("is already used by") },
  });
  expect(snapshot(reef.servicesDir)).toEqual(before);
  expect(await scale(21)).toBe(42);
  await reef.post("/installer/remove", { name: "first" });
  expect(snapshot(reef.servicesDir)).toEqual(empty);
});
