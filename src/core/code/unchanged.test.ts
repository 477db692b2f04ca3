import { afterEach, expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { endRegistries, failure, reasons, startRegistry } from "../../../tests/support/registry.js";
import { answering, eventually } from "../../../tests/support/sandbox.js";
import { SlowChecker } from "../../../tests/support/slow-checker.js";

const shared = globalThis as unknown as {
  __gate?: PromiseWithResolvers<void>;
  __untried?: boolean;
  __importing?: boolean;
  __ticks?: number;
};
afterEach(async () => {
  shared.__gate?.resolve();
  await endRegistries();
  shared.__gate = undefined;
  delete shared.__untried;
  delete shared.__importing;
});

const untried = `globalThis.__untried = true; ${answering("a", "untried")}`;
const slowToAnswer = `import { Hono } from "hono";
  const routes = new Hono();
  routes.get("/", (c) => c.text("old"));
  routes.post("/", async (c) => { await globalThis.__gate.promise; return c.text("done"); });
  export default { name: "a", routes };`;
const slowToImport = `globalThis.__importing = true; await globalThis.__gate?.promise; ${answering("a", "new")}`;

test("code that is edited while requests in flight are waited for is not imported", async () => {
  const { reef, registry } = await startRegistry({ "a/index.ts": slowToAnswer });
  shared.__gate = Promise.withResolvers();
  const inFlight = reef.text("/a", { method: "POST" });
  reef.sandbox.services({ "a/index.ts": answering("a", "tried") });
  const loading = failure(registry.load("a"));
  await eventually(() => reef.registry.table.get("a")?.mount.gate !== undefined);
  reef.sandbox.services({ "a/index.ts": untried });
  shared.__gate.resolve();
  expect(await loading).toMatchObject({ code: "CHANGED" });
  expect(await inFlight).toBe("done");
  expect(await reef.text("/a")).toBe("old");
  expect(shared.__untried).toBeUndefined();
});

test.each([
  ["of a service that runs", "old"],
  ["of a new one", undefined],
])("code %s that is edited while it is imported does not serve", async (_which, before) => {
  const { reef, registry } = await startRegistry(
    before === undefined ? {} : { "a/index.ts": answering("a", before) },
  );
  shared.__gate = Promise.withResolvers();
  reef.sandbox.services({ "a/index.ts": slowToImport });
  const loading = failure(registry.load("a"));
  await eventually(() => shared.__importing === true);
  reef.sandbox.services({ "a/part.ts": "// another file" });
  shared.__gate.resolve();
  expect(await loading).toMatchObject({ code: "CHANGED" });
  const reply = await reef.call("/a");
  expect(reply.status).toBe(before === undefined ? 404 : 200);
  if (before !== undefined) expect(await reply.text()).toBe(before);
});

test("of a folder that vanishes while it is imported nothing is left", async () => {
  const { reef, registry } = await startRegistry();
  shared.__gate = Promise.withResolvers();
  shared.__ticks = 0;
  reef.sandbox.services({ "a/index.ts": `setInterval(() => globalThis.__ticks++, 1); ${slowToImport}` });
  const loading = failure(registry.load("a"));
  await eventually(() => shared.__importing === true && (shared.__ticks ?? 0) > 0);
  rmSync(join(reef.sandbox.servicesDir, "a"), { recursive: true });
  shared.__gate.resolve();
  expect(await loading).toMatchObject({ code: "UNREADABLE" });
  const ticks = shared.__ticks;
  await Bun.sleep(10);
  expect(shared.__ticks).toBe(ticks);
});

test("code that is edited while it is tried at the start is not imported", async () => {
  const checker = new SlowChecker(["a"]);
  const { reef } = await startRegistry({ "a/index.ts": answering("a", "tried") }, { checker, patienceMs: 1 });
  reef.sandbox.services({ "a/index.ts": untried });
  checker.pass("a");
  await reef.settled;
  expect(reasons(reef)).toEqual({ a: "CHANGED" });
  expect(shared.__untried).toBeUndefined();
});
